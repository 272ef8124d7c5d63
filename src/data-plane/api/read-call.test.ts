import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withModel } from '../relay/field-edits.ts';
import { readCall } from './read-call.ts';

function namesOneModel(body: string): boolean {
  const call = readCall(Buffer.from(body), 'openai');
  assert.ok(typeof call === 'object', `${body} is ${JSON.stringify(call)}`);
  return call.namesOneModel;
}

test('an ordinary body names one model, whatever its texts say of models', () => {
  assert.equal(
    namesOneModel('{"model":"m","messages":[{"role":"user","content":"which \\"model\\" are you?"}]}'),
    true,
  );
  assert.equal(namesOneModel('{ "messages": [], "model" : "m" }'), true);
});

test('a body in which an engine could find another model does not', () => {
  for (const body of [
    '{"model":"a","model":"m"}',
    '{"model":"m","Model":"a"}',
    '{"model":"m","MODEL":"a"}',
    '{"mod\\u0065l":"a","model":"m"}',
    '{"model":"a","\\u006dodel":"m"}',
    '{"\\u006d\\u006F\\u0064\\u0065\\u006C":"m"}',
  ]) {
    assert.equal(namesOneModel(body), false, body);
  }
});

test('whatever a body is made of, where it names one model there is nothing for the rewriting to change', () => {
  const key = fc.constantFrom(
    'model',
    'Model',
    'mod\\u0065l',
    '\\u006dodel',
    'mo\\u0064el',
    'x',
    'm\\u006fde',
    'modelx',
  );
  const value = fc.constantFrom('"m"', '"other"', '1', '{"model":"other"}', '["\\"model\\""]', '"\\u006d"');
  const field = fc.tuple(key, value).map(([name, text]) => `"${name}":${text}`);
  fc.assert(
    fc.property(fc.array(field, { maxLength: 4 }), (fields) => {
      const body = Buffer.from(`{${fields.join(',')}}`);
      const call = readCall(body, 'openai');
      if (typeof call === 'object' && call.namesOneModel) assert.equal(withModel(body, call.model), body);
    }),
    { numRuns: 2000 },
  );
});
