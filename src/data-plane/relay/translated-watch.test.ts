import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialects } from '../api/dialects.ts';
import type { AnswerTranslation } from '../translate/translation.ts';
import { watchSse } from './sse.ts';
import { tellWhole, type Telling, watchTranslated } from './translated-watch.ts';

/** Tells each object's id twice over, and how many tokens were counted at the end. */
function echo(): AnswerTranslation {
  return {
    whole: (answer) => ('id' in answer ? { type: 'whole', id: answer['id'] } : null),
    event: ({ id }) => (id === 'quiet' ? [] : [{ type: 'one', id }, { type: 'two' }]),
    end: (usage) => [{ type: 'end', tokens: usage?.completionTokens ?? null }],
  };
}

function telling(): Telling {
  return { answer: echo(), form: dialects.anthropic };
}

const stream = [
  'data: {"id":1,"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n',
  ': a comment\n\n',
  'data: {"id":"quiet","choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}]}\r\n\r\n',
  'data: [DONE]\n\n',
].join('');

const told =
  'event: one\ndata: {"type":"one","id":1}\n\nevent: two\ndata: {"type":"two"}\n\n' +
  'event: end\ndata: {"type":"end","tokens":2}\n\n';

test('each object of a stream is told as the translation says, and the end once, however the bytes come', () => {
  for (const size of [1, 2, 7, 40, stream.length]) {
    const watch = watchTranslated(watchSse('llama3'), telling());
    let out = '';
    for (let at = 0; at < stream.length; at += size)
      out += watch.push(Buffer.from(stream.slice(at, at + size)))?.toString() ?? '';
    out += watch.finish()?.toString() ?? '';
    assert.equal(out, told, `in pieces of ${size}`);
  }
});

test('a stream that broke off is not closed as if it had ended well', () => {
  const cut = stream.slice(0, stream.indexOf(': a comment'));
  const watch = watchTranslated(watchSse('llama3'), telling());
  assert.doesNotMatch(watch.push(Buffer.from(cut))?.toString() ?? '', /end/);
  assert.equal(watch.finish(), null);
});

test('a stream in which the node reports an error is not closed', () => {
  const watch = watchTranslated(watchSse('llama3'), telling());
  const out = watch.push(Buffer.from('data: {"error":{"message":"out of memory"}}\n\ndata: [DONE]\n\n'));
  assert.deepEqual([out, watch.finish(), watch.failed], [null, null, 'out of memory']);
});

test('a whole answer is told whole, and what is none is not', () => {
  assert.equal(tellWhole(Buffer.from('{"id":7}'), telling())?.toString(), '{"type":"whole","id":7}');
  assert.equal(tellWhole(Buffer.from('{"name":7}'), telling()), null);
  assert.equal(tellWhole(Buffer.from('[]'), telling()), null);
});
