import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_FRAME_BYTES } from './answer-watch.ts';
import { LikeLast } from './like-last.ts';
import { watchSse } from './sse.ts';
import { Transcript } from './transcript.ts';

const frame = (text: string, more = ''): string =>
  `data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":null}]${more}}\n\n`;

function remembering(text: string): LikeLast {
  const like = new LikeLast();
  const bytes = Buffer.from(frame(text));
  const at = bytes.indexOf(`"${text}"`) + 1;
  like.remember(bytes, 0, bytes.length, at, at + text.length);
  return like;
}

function matches(like: LikeLast, text: string): boolean {
  const bytes = Buffer.from(`before${text}after`);
  return like.matches(bytes, 6, bytes.length - 5);
}

test('a frame that differs in its text alone is like the last', () => {
  const like = remembering('one');
  for (const text of ['two', 'x', 'much longer than the last', 'a \\"quoted\\" one', '\\\\', 'é😀', '\\u00e9\\n']) {
    assert.equal(matches(like, frame(text)), true, text);
  }
});

test('a frame that differs in anything else is not', () => {
  const like = remembering('one');
  for (const other of [
    frame(''),
    frame('two', ',"usage":{}'),
    frame('two').replace('null', '"stop"'),
    frame('two').replace('"m"', '"/models/secret.gguf"'),
    frame('two').replace('"index":0', '"index":1'),
    frame('two\\'),
    frame('two","error":"x'),
    frame('two\nid: 10.0.0.5\n'),
    frame('two\\\nid: 10.0.0.5'),
    frame('two').slice(0, -1),
    'data: [DONE]\n\n',
    '\n',
  ]) {
    assert.equal(matches(like, other), false, other);
  }
});

test('where every frame is new in other places too, comparing is given up', () => {
  const like = new LikeLast();
  for (let count = 0; count <= 8; count += 1) {
    assert.equal(matches(like, frame('a', `,"t":${count}`)), false);
    const bytes = Buffer.from(frame('a', `,"t":${count}`));
    const at = bytes.indexOf('"a"') + 1;
    like.remember(bytes, 0, bytes.length, at, at + 1);
  }
  assert.equal(matches(like, frame('b', ',"t":8')), false);
});

test('a stream is judged alike whether frames are compared with the last or each is read', () => {
  const never = { matches: () => false, remember: () => undefined, textOffset: 0, matchedEnd: 0 };
  const text = fc.constantFrom('a', 'b c', '\\"', '', 'x\\\\', '\\"model\\":\\"n\\"');
  const any = fc.oneof(
    { weight: 6, arbitrary: text.map((each) => frame(each)) },
    { weight: 2, arbitrary: text.map((each) => frame(each).replace('"index":0', '"index":1')) },
    text.map((each) => frame(each, ',"usage":{"prompt_tokens":3,"completion_tokens":9}')),
    text.map((each) => frame(each).replace('"m"', '"/path/m.gguf"')),
    text.map((each) => frame(each).replace('null', '"stop"')),
    text.map((each) => frame(each).replace('"content"', '"reasoning_content"')),
    text.map((each) => `\u{feff}${frame(each)}`),
    text.map((each) => frame(each).replace('data: ', 'event: x\ndata: ')),
    fc.constantFrom(': ping\n\n', 'data: [DONE]\n\n', 'data: {"error":{"message":"no"}}\n\n', frame('a\nb'), '\n'),
  );
  fc.assert(
    fc.property(fc.array(any, { maxLength: 12 }), fc.nat(200), (frames, cut) => {
      const [one, other] = [new Transcript(), new Transcript()];
      const compared = watchSse('m', MAX_FRAME_BYTES, new LikeLast(), one);
      const read = watchSse('m', MAX_FRAME_BYTES, never, other);
      const bytes = Buffer.from(frames.join(''));
      for (const part of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
        assert.equal(compared.push(part)?.toString(), read.push(part)?.toString());
      }
      const tell = (watch: typeof read): unknown => [
        watch.ended,
        watch.isMarked,
        watch.failed,
        watch.frames,
        watch.usage(),
      ];
      assert.deepEqual(tell(compared), tell(read));
      assert.deepEqual(written(one), written(other));
    }),
    { numRuns: 2000 },
  );
});

function written(transcript: Transcript): unknown {
  const { isSound, isFinished, deltas } = transcript;
  return [isSound, isFinished, deltas, transcript.text(), transcript.head()];
}
