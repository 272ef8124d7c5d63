import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { EventCheck } from './event-check.ts';
import { eventText, lastEventText, MICROS_WIDTH, NUMBER_WIDTH, type Text, writeDigits } from './texts.ts';

function numbered({ bytes, digitsAt }: Text, number: number): Buffer {
  writeDigits(bytes, digitsAt, NUMBER_WIDTH, number);
  writeDigits(bytes, digitsAt + NUMBER_WIDTH + 1, MICROS_WIDTH, 1_000_000 + number);
  return bytes;
}

const events = [0, 1, 2].map((number) => numbered(eventText(), number));
const last = numbered(lastEventText(), 3);

function verdictOf(pieces: readonly Buffer[]): { verdict: string | null; stamps: number[] } {
  const stamps: number[] = [];
  const check = new EventCheck((sentMicros) => stamps.push(sentMicros));
  for (const piece of pieces) check.push(piece, 0, piece.length);
  return { verdict: check.verdict(), stamps };
}

test('a whole stream passes, wherever it is cut', () => {
  const all = Buffer.concat([...events, last]);
  for (let cut = 0; cut <= all.length; cut++) {
    const { verdict, stamps } = verdictOf([all.subarray(0, cut), all.subarray(cut)]);
    assert.equal(verdict, null, `cut at ${cut}`);
    assert.deepEqual(stamps, [1_000_000, 1_000_001, 1_000_002, 1_000_003]);
  }
  assert.equal(verdictOf(Array.from(all, (byte) => Buffer.from([byte]))).verdict, null);
});

test('a missing, doubled or changed event and a missing end are found', () => {
  const [first, second, third] = events;
  assert.ok(first && second && third);
  assert.equal(verdictOf([first, third, last]).verdict, 'an event missing');
  assert.equal(verdictOf([first, second, second, third, last]).verdict, 'an event twice');
  assert.equal(verdictOf(events).verdict, 'a stream without its last event');
  const endless = last.subarray(0, last.indexOf('data: [DONE]'));
  assert.equal(verdictOf([...events, endless]).verdict, 'a stream without its end marker');
  const changed = Buffer.from(second);
  changed.write('!', changed.indexOf('# word'));
  assert.equal(verdictOf([first, changed, third, last]).verdict, 'a changed event');
});
