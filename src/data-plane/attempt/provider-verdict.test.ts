import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endOfProviderStatus, providerVerdict, retryDelayOf } from './provider-verdict.ts';
import { verdicts } from './verdict.ts';

test("a provider's answers are sorted as a node's, but for its own word for overload and for what is not a model", () => {
  assert.equal(endOfProviderStatus(529, 'Overloaded'), 'overloaded');
  assert.equal(endOfProviderStatus(404, 'The model `x` does not exist'), 'model-missing');
  assert.equal(endOfProviderStatus(404, 'model: claude-x'), 'model-missing');
  assert.equal(endOfProviderStatus(404, 'No such file'), 'client-error');
  assert.equal(endOfProviderStatus(405, ''), 'client-error');
  assert.equal(endOfProviderStatus(429, ''), 'overloaded');
  assert.equal(endOfProviderStatus(500, ''), 'server-error');
  assert.equal(endOfProviderStatus(400, 'API key not valid. Please pass a valid API key.'), 'unauthorized');
  assert.equal(endOfProviderStatus(400, 'Invalid text: API key not valid'), 'client-error');
});

test('nothing is held against a provider for the sake of one model', () => {
  for (const [end, status] of [
    ['model-missing', 404],
    ['unauthorized', 403],
  ] as const) {
    const { blame, doubt, code } = providerVerdict(end, status);
    assert.deepEqual([blame, doubt, code], ['neutral', null, verdicts[end].code]);
  }
  assert.equal(providerVerdict('overloaded', 429), verdicts.overloaded);
});

test('how long Google wants to be left alone stands in the body', () => {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.5s' }];
  const body = Buffer.from(JSON.stringify([{ error: { code: 429, message: 'Quota exceeded', details } }], null, 2));
  assert.equal(retryDelayOf(body), 34_500);
  assert.equal(retryDelayOf(Buffer.from('{"retryDelay": "soon"}')), null);
  assert.equal(retryDelayOf(Buffer.from('')), null);
});

test('a refused key has the provider looked at, and shuts it to nobody until then: it may lack the right to this only', () => {
  assert.deepEqual(providerVerdict('unauthorized', 401), { ...verdicts.unauthorized, blame: 'neutral' });
  assert.deepEqual(providerVerdict('unauthorized', 400), { ...verdicts.unauthorized, blame: 'neutral' });
});
