import type { Buffer } from 'node:buffer';
import { fillerBytes, MARK, MICROS_WIDTH, NUMBER_WIDTH, readDigits } from './texts.ts';

// What counts as an answer. Only a complete 200 with the text the node sent for this very request counts as served. The own share of its
// time is what is left of the client's total without the node's own time (its two clock readings) and without the wait the router reports.

export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: Buffer;
  readonly bodyBytes: number;
  /** Of the request it answers. */
  readonly number: number;
  readonly totalMs: number;
}

export type Asked = { readonly totalMs: number; readonly ownMs: number } | { readonly wrong: string };

export type Check = (answer: Answer) => Asked;

/** The own share of a latency in ms: total − the node's time between its clock readings (µs) − the wait. */
export function ownShareMs(totalMs: number, receivedMicros: number, sentMicros: number, waitMs: number): number {
  return totalMs - (sentMicros - receivedMicros) / 1000 - waitMs;
}

export const served: Check = ({ status, head, body, bodyBytes, number, totalMs }) => {
  if (status !== 200) return { wrong: `status ${status}` };
  const mark = body.indexOf(MARK);
  const numberAt = mark + MARK.length;
  const receivedAt = numberAt + NUMBER_WIDTH + 1;
  const sentAt = receivedAt + MICROS_WIDTH + 1;
  const fillerAt = sentAt + MICROS_WIDTH + 2;
  const fillerEnd = fillerAt + fillerBytes.length;
  if (mark < 0 || fillerEnd > bodyBytes) return { wrong: 'an answer without its text' };
  if (readDigits(body, numberAt, NUMBER_WIDTH) !== number) return { wrong: "another request's answer" };
  if (body.compare(fillerBytes, 0, fillerBytes.length, fillerAt, fillerEnd) !== 0) return { wrong: 'a changed text' };
  const received = readDigits(body, receivedAt, MICROS_WIDTH);
  const sent = readDigits(body, sentAt, MICROS_WIDTH);
  return { totalMs, ownMs: ownShareMs(totalMs, received, sent, waitMsOf(head)) };
};

/** A refusal that says so and when to come back. */
export const refused: Check = ({ status, head, body, bodyBytes, totalMs }) => {
  if (status !== 503) return { wrong: `status ${status}` };
  if (!/\r\nretry-after: *\d/i.test(head)) return { wrong: 'a refusal without Retry-After' };
  if (!body.toString('latin1', 0, bodyBytes).includes('capacity_exceeded')) return { wrong: 'another refusal' };
  return { totalMs, ownMs: totalMs };
};

function waitMsOf(head: string): number {
  const at = head.indexOf('x-weir-wait-ms: ');
  return at < 0 ? 0 : Number.parseInt(head.slice(at + 16), 10);
}
