import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWhole } from './whole.ts';

function read(text: string) {
  const answer = readWhole(Buffer.from(text), 'asked');
  return { ...answer, body: answer.body.toString() };
}

test('the asked name replaces a file path, the fingerprint goes, and no other byte changes', () => {
  const text =
    '{ "id":"c", "model": "\\/models\\/a.gguf", "choices":[{"message":{"model":"keep","content":"\\"model\\":\\"x\\""}}],\n "big":12345678901234567890, "x":1e400, "system_fingerprint":"b1", "usage":{"prompt_tokens":3,"completion_tokens":2}}';
  const answer = read(text);
  assert.equal(
    answer.body,
    '{ "id":"c", "model": "asked", "choices":[{"message":{"model":"keep","content":"\\"model\\":\\"x\\""}}],\n "big":12345678901234567890, "x":1e400, "usage":{"prompt_tokens":3,"completion_tokens":2}}',
  );
  assert.deepEqual(answer.usage, { promptTokens: 3, completionTokens: 2, cachedTokens: null, estimated: false });
  assert.equal(answer.failed, null);
  assert.equal(answer.isObject, true);
});

test('where an engine has a model run elsewhere goes', () => {
  const { body } = read('{"model":"asked","remote_host":"https://inner:443","remote_model":"n","done":true}');
  assert.equal(body, '{"model":"asked","done":true}');
});

test('a body that needs no change is the same Buffer', () => {
  for (const text of ['{"model":"asked","usage":null}', '[{"model":"x"}]', 'RIFF', '', '{"model":"x"']) {
    const body = Buffer.from(text);
    assert.equal(readWhole(body, 'asked').body, body);
  }
  assert.equal(read('[]').isObject, false);
  assert.equal(read('{"model":"x"').isObject, false);
});

test('usage at the end of a large embedding is found', () => {
  const vector = Array.from({ length: 50_000 }, (_, index) => index / 7);
  const answer = read(
    JSON.stringify({ data: [{ embedding: vector }], model: 'x', usage: { prompt_tokens: 8, total_tokens: 8 } }),
  );
  assert.deepEqual(answer.usage, { promptTokens: 8, completionTokens: null, cachedTokens: null, estimated: false });
});

test('usage of every dialect is read', () => {
  const cases: [string, (number | null)[]][] = [
    ['{"usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":2}}}', [9, 4, 2]],
    ['{"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":2},"output_tokens":4}}', [9, 4, 2]],
    ['{"type":"message","usage":{"input_tokens":9,"cache_read_input_tokens":20,"output_tokens":4}}', [29, 4, 20]],
    ['{"usage":{"cache_creation_input_tokens":5,"input_tokens":9,"output_tokens":4}}', [14, 4, null]],
    ['{"timings":{"cache_n":7,"prompt_n":2,"predicted_n":4}}', [9, 4, 7]],
    ['{"timings":{"prompt_n":2,"predicted_n":4}}', [2, 4, null]],
    ['{"timings":{"prompt_n":2,"predicted_n":4},"usage":{"prompt_tokens":9,"completion_tokens":5}}', [9, 5, null]],
    ['{"done":true,"prompt_eval_count":9,"eval_count":4}', [9, 4, null]],
    ['{"usage":{"prompt_tokens":-1,"completion_tokens":1.5}, "eval_count":"7","prompt_eval_count":3}', [3, null, null]],
  ];
  for (const [text, [prompt, completion, cached]] of cases) {
    const want = { promptTokens: prompt, completionTokens: completion, cachedTokens: cached, estimated: false };
    assert.deepEqual(read(text).usage, want, text);
  }
  for (const text of ['{}', '{"usage":null}', '{"usage":{}}', '{"usage":[1]}', '{"usage":"x","timings":3}']) {
    assert.equal(read(text).usage, null, text);
  }
});

test('an error under a 2xx status is told', () => {
  assert.equal(read('{"error":"out of memory"}').failed, 'out of memory');
  assert.equal(read('{"error":{"code":500}}').failed, '');
  assert.equal(read('{"object":"response","error":null,"status":"completed"}').failed, null);
});
