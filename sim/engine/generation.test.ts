import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Ask, embed, generate } from './generation.ts';

const ASK: Ask = { prompt: 'p', last: 'p', maxTokens: null, ignoresEnd: false, tool: null, choice: 0 };

test('the text depends on the prompt and the choice and on nothing else', () => {
  assert.deepEqual(generate(ASK), generate({ ...ASK }));
  assert.notDeepEqual(generate(ASK), generate({ ...ASK, prompt: 'q' }));
  assert.notDeepEqual(generate(ASK), generate({ ...ASK, choice: 1 }));
});

test('a limit cuts the answer without changing its beginning, and says so', () => {
  const free = generate(ASK, { min: 20, max: 20 });
  const cut = generate({ ...ASK, maxTokens: 5 }, { min: 20, max: 20 });
  assert.deepEqual([free.pieces.length, free.finish], [20, 'stop']);
  assert.deepEqual([cut.pieces, cut.finish], [free.pieces.slice(0, 5), 'length']);
  assert.equal(generate({ ...ASK, maxTokens: 90, ignoresEnd: true }, { min: 20, max: 20 }).pieces.length, 90);
});

test('"say: " is answered by exactly what follows it', () => {
  const said = 'look at\n  http://10.0.0.5:8000/v1  now ';
  const answer = generate({ ...ASK, last: `say: ${said}` });
  assert.equal(answer.pieces.join(''), said);
  assert.ok(answer.pieces.length > 2);
  assert.equal(generate({ ...ASK, last: 'say: ' }).pieces.join(''), '');
});

test('a tool is called with what its schema requires', () => {
  const parameters = {
    type: 'object',
    properties: {
      city: { type: 'string' },
      days: { type: 'integer' },
      unit: { enum: ['C', 'F'] },
      note: { type: 'string' },
    },
    required: ['city', 'days', 'unit'],
  };
  const { tool, pieces, finish } = generate({ ...ASK, tool: { name: 'weather', parameters } });
  assert.deepEqual(JSON.parse(pieces.join('')), tool?.arguments);
  assert.deepEqual(Object.keys(tool?.arguments ?? {}), ['city', 'days', 'unit']);
  assert.ok(Number.isInteger(tool?.arguments['days']));
  assert.equal(finish, 'tool_calls');
});

test('an embedding is a unit vector of its text', () => {
  assert.ok(Math.abs(Math.hypot(...embed('a', 32)) - 1) < 1e-9);
  assert.deepEqual(embed('a', 32), embed('a', 32));
  assert.notDeepEqual(embed('a', 32), embed('b', 32));
});
