import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeModel, readShow } from './ollama-show.ts';

const modelIn = (body: object): unknown => {
  const call = readShow(Buffer.from(JSON.stringify(body)));
  return typeof call === 'string' ? call : call.model;
};

test('the model is read from either field', () => {
  assert.equal(modelIn({ model: 'a' }), 'a');
  assert.equal(modelIn({ model: 'a', name: 'b' }), 'a');
  assert.equal(modelIn({ name: 'b' }), 'b');
  assert.equal(modelIn({ model: '', name: 'b' }), 'b');
  assert.equal(modelIn({ model: 7, name: 'b' }), 'invalid_model');
  assert.equal(modelIn({ name: ' ' }), 'missing_model');
  assert.equal(modelIn({}), 'missing_model');
  assert.equal(readShow(Buffer.from('[')), 'invalid_json');
});

test('a model of which nothing is known has every field that clients parse', () => {
  const told = describeModel({ name: 'a', offers: [], firstSeenAt: 0 }, 'a:latest');
  assert.deepEqual(Object.keys(told).toSorted(), [
    'capabilities',
    'details',
    'model_info',
    'modelfile',
    'modified_at',
    'parameters',
    'template',
  ]);
  assert.match(JSON.stringify(told), /"modelfile":"FROM a:latest\\n".*"modified_at":"1970-01-01T00:00:00.000Z"/);
});
