import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutAt, cutsOf, readStream, streamNames, watchAll } from '../../../test/support/streams.ts';
import type { StreamName } from '../../../test/support/streams.ts';
import type { Usage } from '../../fleet/settlement.ts';
import type { AnswerWatch } from './answer-watch.ts';
import { watchNdjson } from './ndjson.ts';
import { watchSse } from './sse.ts';

function watchFor(name: StreamName, askedModel: string): AnswerWatch {
  return name.endsWith('.ndjson') ? watchNdjson(askedModel) : watchSse(askedModel);
}

function used(prompt: number | null, completion: number, cached: number | null, estimated = false): Usage {
  return { promptTokens: prompt, completionTokens: completion, cachedTokens: cached, estimated };
}

/** What a router should make of each stream: usage, whether it ended, the error, and words that must not get through. */
const expected: Record<StreamName, { usage: Usage; ended?: false; failed?: string; frames: number; hidden: string[] }> =
  {
    'llamacpp-chat.sse': { usage: used(21, 9, 17), frames: 13, hidden: ['/models/tiny', 'b6730', 'fingerprint'] },
    'llamacpp-chat-timings.sse': { usage: used(21, 9, 17), frames: 7, hidden: ['/models/tiny', 'b6730'] },
    'llamacpp-error.sse': {
      usage: used(null, 2, null, true),
      ended: false,
      failed: 'failed to decode on http://10.0.0.5:8000',
      frames: 4,
      hidden: ['10.0.0.5', '/models/tiny'],
    },
    'vllm-chat.sse': { usage: used(13, 4, null), frames: 8, hidden: ['meta-llama'] },
    'vllm-completions.sse': { usage: used(null, 3, null, true), frames: 4, hidden: ['meta-llama'] },
    'vllm-tools.sse': { usage: used(null, 4, null, true), frames: 7, hidden: ['meta-llama'] },
    'vllm-two-choices-unmarked.sse': { usage: used(null, 4, null, true), frames: 6, hidden: ['meta-llama'] },
    'vllm-error.sse': {
      usage: used(null, 2, null, true),
      ended: false,
      failed: 'EngineCore encountered an issue at tcp://10.0.0.5:5557',
      frames: 4,
      hidden: ['10.0.0.5', 'EngineCore', '[DONE]'],
    },
    'sglang-chat.sse': { usage: used(31, 3, 16), frames: 7, hidden: ['Qwen/'] },
    'openai-responses.sse': { usage: used(37, 11, 5), frames: 7, hidden: ['/srv/models'] },
    'openai-responses-failed.sse': {
      usage: used(null, 1, null, true),
      ended: false,
      failed: 'worker gpu-1 died',
      frames: 5,
      hidden: ['gpu-1', '/srv/models'],
    },
    'anthropic-messages.sse': { usage: used(128, 15, 100), frames: 7, hidden: ['claude-x'] },
    'anthropic-crlf.sse': { usage: used(128, 15, 100), frames: 7, hidden: ['claude-x'] },
    'anthropic-error.sse': {
      usage: used(128, 2, 100, true),
      ended: false,
      failed: 'Overloaded',
      frames: 5,
      hidden: ['claude-x', 'Overloaded', 'event: error'],
    },
    'ollama-chat.ndjson': { usage: used(26, 282, null), frames: 5, hidden: ['llama3:latest'] },
    'ollama-generate.ndjson': { usage: used(null, 3, null), frames: 4, hidden: ['llama3:latest'] },
    'ollama-error.ndjson': {
      usage: used(null, 2, null, true),
      ended: false,
      failed: 'llama runner process has terminated: dial tcp 127.0.0.1:41235',
      frames: 3,
      hidden: ['41235', 'llama3:latest'],
    },
  };

/** The JSON objects of a stream, in order. */
function objectsOf(text: string): unknown[] {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/^data: /, ''));
  return lines.filter((line) => line.startsWith('{')).map((line): unknown => JSON.parse(line));
}

/** What a client should see of an engine's object, made the slow way. */
function seenByClient(value: unknown): unknown {
  const text = JSON.stringify(value, (key, field: unknown) => (key === 'system_fingerprint' ? undefined : field));
  const copy: unknown = JSON.parse(text);
  const holders = [copy, fieldOf(copy, 'message'), fieldOf(copy, 'response')];
  for (const holder of holders) {
    if (typeof holder === 'object' && holder !== null && 'model' in holder) Object.assign(holder, { model: 'asked' });
  }
  return copy;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

for (const name of streamNames) {
  const bytes = readStream(name);
  const want = expected[name];

  test(`${name}: usage, end and error are read, and the engine's names stay behind`, () => {
    const seen = watchAll(watchFor(name, 'asked'), [bytes]);
    assert.deepEqual(seen.usage, want.usage);
    assert.equal(seen.ended, want.ended ?? true);
    assert.equal(seen.failed, want.failed ?? null);
    assert.equal(seen.frames, want.frames);
    assert.equal(seen.sawContent, true);
    for (const word of want.hidden) assert.equal(seen.text.includes(word), false, `${word} got through`);
    const sent = objectsOf(bytes.toString().replace(/^error: .*$/m, ''));
    assert.deepEqual(objectsOf(seen.text), sent.slice(0, objectsOf(seen.text).length).map(seenByClient));
    if (want.failed === undefined) assert.equal(objectsOf(seen.text).length, sent.length);
  });

  test(`${name}: cut at any one byte, it reads the same`, () => {
    const whole = watchAll(watchFor(name, 'asked'), [bytes]);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      assert.deepEqual(watchAll(watchFor(name, 'asked'), cutAt(bytes, [cut])), whole, `cut at ${cut}`);
    }
    const single = Array.from(bytes, (byte) => Buffer.from([byte]));
    assert.deepEqual(watchAll(watchFor(name, 'asked'), single), whole);
  });

  test(`${name}: cut at random, it reads the same`, () => {
    const whole = watchAll(watchFor(name, 'asked'), [bytes]);
    fc.assert(
      fc.property(cutsOf(bytes), (cuts) => {
        assert.deepEqual(watchAll(watchFor(name, 'asked'), cutAt(bytes, cuts)), whole);
      }),
      { numRuns: 50 },
    );
  });
}

test('a stream that needs no change is forwarded as the very chunks that came', () => {
  const lines = readStream('ollama-chat.ndjson');
  assert.equal(watchNdjson('llama3:latest').push(lines), lines);
  const events = readStream('vllm-chat.sse');
  assert.equal(watchSse('meta-llama/Llama-3-8B').push(events), events);
  const part = watchSse('meta-llama/Llama-3-8B').push(events.subarray(0, -3));
  assert.equal(part?.buffer, events.buffer);
  assert.equal(part?.byteOffset, events.byteOffset);
});

test('generated text passes byte for byte, whatever it says', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '"model":"x"',
      '{"error":"no"}',
      'data: [DONE]\n\n',
      'http://10.0.0.5:8000/v1',
      '"system_fingerprint":"fp"',
      '\\',
      '\\"',
      '","model":"y',
      'event: error',
    ),
  );
  fc.assert(
    fc.property(
      fc.array(hostile, { maxLength: 6 }),
      fc.boolean(),
      fc.infiniteStream(fc.nat()),
      (parts, escape, cuts) => {
        const encode = (text: string): string =>
          escape
            ? JSON.stringify(text).replace(/[^\p{ASCII}]|\//gu, (sign) => (sign === '/' ? '\\/' : sign))
            : JSON.stringify(text);
        const frames = parts.map(
          (part) =>
            `data: {"id":"1","choices":[{"index":0,"delta":{"content":${encode(part)}}}],"model":"NAME","n":1e400,"big":12345678901234567890}\n\n`,
        );
        const sent = Buffer.from(frames.join('').replaceAll('"model":"NAME"', '"model":"/m/x.gguf"'));
        const watch = watchSse('asked');
        const chunks = cutAt(
          sent,
          [...cuts.take(5)].map((cut) => cut % (sent.length + 1)),
        );
        const seen = watchAll(watch, chunks);
        const want = frames.join('').replaceAll('"model":"NAME"', '"model":"asked"');
        assert.equal(seen.text, want);
        assert.equal(seen.failed, null);
      },
    ),
  );
});
