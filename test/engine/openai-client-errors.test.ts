import assert from 'node:assert/strict';
import { APIError, AuthenticationError, BadRequestError, NotFoundError } from 'openai';
import { chat } from './chat.ts';
import { engineTest, openai } from './stage.ts';

async function thrownBy(promise: Promise<unknown>): Promise<APIError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof APIError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' });
}

engineTest('the official client throws its own error class for each refusal', async ({ engine, weirBefore }) => {
  const weir = await weirBefore([await engine({ ctx: 512 })], {
    auth: { clients: 'required', keys: [{ label: 'test', key: 'sk-weir-test-0123456789abcdef0123456789abcdef' }] },
  });
  const client = openai(weir, { apiKey: 'sk-weir-test-0123456789abcdef0123456789abcdef' });
  const ask = (model: string, content: string): Promise<unknown> =>
    client.chat.completions.create({ model, messages: [{ role: 'user', content }], max_tokens: 2 });

  const unknownModel = await thrownBy(ask('nothing', 'hello'));
  assert.ok(unknownModel instanceof NotFoundError);
  assert.equal(unknownModel.code, 'model_not_found');
  assert.equal(unknownModel.type, 'invalid_request_error');
  assert.equal(unknownModel.headers?.get('x-should-retry'), 'false');
  assert.ok(unknownModel.requestID);

  const noModel = await thrownBy(ask('', 'hello'));
  assert.ok(noModel instanceof BadRequestError);
  assert.equal(noModel.code, 'invalid_model');

  const tooLong = await thrownBy(ask('tiny', 'word '.repeat(600)));
  assert.ok(tooLong instanceof BadRequestError);
  assert.match(tooLong.message, /context/);

  const stranger = openai(weir, { apiKey: 'wrong' });
  const noKey = await thrownBy(
    stranger.chat.completions.create({ model: 'tiny', messages: [{ role: 'user', content: 'hello' }] }),
  );
  assert.ok(noKey instanceof AuthenticationError);
  assert.equal(noKey.code, 'invalid_api_key');
  assert.equal((await chat(weir.url)).status, 401);
});
