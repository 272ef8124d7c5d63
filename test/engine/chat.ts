import assert from 'node:assert/strict';
import { at } from '../support/json-path.ts';

// A chat client made of `fetch` alone, which shows what crosses the wire: the official client hides frames and errors.

export interface ChatFields {
  readonly stream?: boolean;
  readonly max_tokens?: number;
  readonly messages?: readonly { readonly role: string; readonly content: string }[];
  readonly model?: string;
  readonly [field: string]: unknown;
}

/** More tokens than an engine computes while a test lasts: such a request ends only when somebody ends it. */
export const endless = { max_tokens: 100_000 };

/** Posts a chat completion at temperature 0, where the engine always answers the same. */
export function chat(url: string, fields: ChatFields = {}, signal?: AbortSignal): Promise<Response> {
  const body = {
    model: 'tiny',
    temperature: 0,
    max_tokens: 20,
    messages: [{ role: 'user', content: 'where does my request go' }],
    ...fields,
  };
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
}

/** The `data:` of each event as it arrives; throws what reading the body throws. */
export async function* frames(response: Response): AsyncGenerator<string> {
  assert.equal(response.headers.get('content-type')?.split(';')[0], 'text/event-stream');
  assert.ok(response.body);
  let pending = '';
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    pending += piece;
    const events = pending.split('\n\n');
    pending = events.pop() ?? '';
    for (const event of events) {
      for (const line of event.split('\n')) if (line.startsWith('data: ')) yield line.slice('data: '.length);
    }
  }
  assert.equal(pending, '', 'the stream ended within an event');
}

/** Every frame of a stream, from where its reader stands to the end. */
export async function restOf(reader: AsyncGenerator<string>): Promise<string[]> {
  const rest: string[] = [];
  for await (const frame of reader) rest.push(frame);
  return rest;
}

/** Starts a stream and reads its first token, so that it is known to be running; its reader goes on from there. */
export async function runningStream(
  url: string,
  fields: ChatFields = endless,
  signal?: AbortSignal,
): Promise<AsyncGenerator<string>> {
  const response = await chat(url, { ...fields, stream: true }, signal);
  assert.equal(response.status, 200);
  const reader = frames(response);
  for (;;) {
    const { value, done } = await reader.next();
    assert.ok(!done, 'the stream ended without a token');
    if (contentOf(value) !== '') return reader;
  }
}

/** The text a frame adds; empty for `[DONE]` and frames without any. */
export function contentOf(frame: string): string {
  if (frame === '[DONE]') return '';
  const delta = at(JSON.parse(frame), 'choices', 0, 'delta', 'content');
  return typeof delta === 'string' ? delta : '';
}

/** The text of a whole answer. */
export async function answerOf(response: Response): Promise<string> {
  const text = await response.text();
  assert.equal(response.status, 200, text);
  const content = at(JSON.parse(text), 'choices', 0, 'message', 'content');
  assert.equal(typeof content, 'string');
  return String(content);
}
