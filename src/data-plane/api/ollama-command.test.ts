import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCommand } from './ollama-command.ts';

function read(text: string) {
  const command = readCommand(Buffer.from(text));
  return typeof command === 'string' ? command : [command.models, command.stream, command.written.toString()];
}

test('every model that a command names is found, in every spelling that Ollama would read', () => {
  assert.deepEqual(read('{"model":"a"}'), [['a'], true, '{"model":"a"}']);
  assert.deepEqual(read('{"name":"a","stream":false}'), [['a'], false, '{"name":"a","stream":false}']);
  assert.deepEqual(Object(read('{"source":"a","destination":"b"}'))[0], ['a', 'b']);
  assert.deepEqual(Object(read('{"model":"a","from":"b","From":"c"}'))[0], ['a', 'b', 'c']);
  assert.deepEqual(Object(read('{"model":"a","MODEL":"b","ſource":"c"}'))[0], ['a', 'b', 'c']);
  // Ollama's own clients send both.
  assert.deepEqual(Object(read('{"model":"a","name":""}'))[0], ['a']);
});

test('of a field that is there twice the last one is read, and alone is written', () => {
  assert.deepEqual(read('{"model":"a","model":"b"}'), [['b'], true, '{"model":"b"}']);
});

test('a body that names nothing is told so', () => {
  assert.equal(read(''), 'invalid_json');
  assert.equal(read('[]'), 'invalid_json');
  assert.equal(read('{"model":'), 'invalid_json');
  assert.equal(read('{}'), 'missing_model');
  assert.equal(read('{"model":""}'), 'missing_model');
  assert.equal(read('{"model":7}'), 'invalid_model');
  assert.equal(read('{"model":"a","from":["b"]}'), 'invalid_model');
});
