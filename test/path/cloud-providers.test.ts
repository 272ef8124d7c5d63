import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeProvider, PROVIDER_KEY } from '../support/fake-provider.ts';
import { chat, completion, held, inTurn, status } from '../support/scripted-answers.ts';
import { startDataPlane, type TestDataPlane } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';

const CLIENT_KEY = 'client-key-canary-77aa';

async function told(answer: Promise<Response> | Response): Promise<readonly [status: number, code: string]> {
  const response = await answer;
  const text = await response.text();
  return [response.status, /"code":"(\w+)"/.exec(text)?.[1] ?? ''];
}

function post(router: TestDataPlane, path: string, body: object, headers: Record<string, string> = {}) {
  return fetch(router.url + path, { method: 'POST', body: JSON.stringify(body), headers });
}

for (const https of [false, true]) {
  test(`openai: goes to the provider over ${https ? 'https' : 'http'}, under its own key and name`, async () => {
    await using openai = await fakeProvider('openai', { https });
    await using router = await startDataPlane([openai.node()]);
    const headers = { authorization: `Bearer ${CLIENT_KEY}`, 'x-api-key': CLIENT_KEY, cookie: CLIENT_KEY };
    for (const stream of [false, true]) {
      const answer = await router.chat({ model: 'openai:gpt-x', stream, user: 'someone' }, { headers });
      const shown = JSON.stringify([...answer.headers]) + (await answer.text());
      assert.equal(answer.status, 200, shown);
      assert.match(shown, /"model":"openai:gpt-x"/);
      assert.ok(!shown.includes(PROVIDER_KEY) && !shown.includes(String(openai.port)), shown);
    }
    for (const request of openai.requests) {
      assert.deepEqual(request.path, '/v1/chat/completions');
      assert.ok(!JSON.stringify(request.headers).includes(CLIENT_KEY), 'a client’s key goes nowhere');
      const sent: unknown = request.json();
      assert.ok(typeof sent === 'object' && sent !== null && 'model' in sent && 'user' in sent);
      assert.deepEqual([sent.model, sent.user], ['gpt-x', 'someone']);
    }
    const [settlement] = await router.settled(2);
    assert.deepEqual(
      [settlement?.model, settlement?.usage?.completionTokens, settlement?.attempts[0]?.end],
      ['openai:gpt-x', 4, 'complete'],
    );
  });
}

test('every endpoint of OpenAI is forwarded to it, and the name may hold colons', async () => {
  await using openai = await fakeProvider('openai', {
    answer: (_request, reply) => reply.json(200, { object: 'an answer' }),
  });
  await using router = await startDataPlane([openai.node()]);
  const paths = ['/v1/completions', '/v1/embeddings', '/v1/responses', '/v1/moderations', '/v1/images/generations'];
  for (const path of paths)
    assert.equal((await post(router, path, { model: 'openai:ft:gpt:acme::1' })).status, 200, path);
  assert.deepEqual(
    openai.requests.map(({ path }) => path),
    paths,
  );
  for (const { body } of openai.requests) assert.match(body.toString(), /"model":"ft:gpt:acme::1"/);
});

test("google: goes to Google's OpenAI-compatible paths, which have no /v1, and what it lacks is told", async () => {
  await using google = await fakeProvider('google');
  await using router = await startDataPlane([google.node()]);
  assert.equal((await router.chat({ model: 'google:gemini-x' })).status, 200);
  assert.equal((await post(router, '/v1/embeddings', { model: 'google:embed-x', input: 'a' })).status, 200);
  assert.deepEqual(
    google.requests.map(({ path }) => path),
    ['/v1beta/openai/chat/completions', '/v1beta/openai/embeddings'],
  );
  assert.deepEqual(await told(post(router, '/v1/completions', { model: 'google:gemini-x', prompt: 'a' })), [
    404,
    'model_not_found',
  ]);
  assert.deepEqual(await told(post(router, '/v1/moderations', { model: 'google:gemini-x' })), [404, 'model_not_found']);
  assert.equal(google.requests.length, 2);
});

test("anthropic: is forwarded Anthropic's own messages, with the version that the client means or else a known one", async () => {
  await using anthropic = await fakeProvider('anthropic');
  await using router = await startDataPlane([anthropic.node()]);
  const ask = { model: 'anthropic:claude-x', max_tokens: 5, messages: [{ role: 'user', content: 'hello' }] };
  const key = { 'x-api-key': CLIENT_KEY, authorization: `Bearer ${CLIENT_KEY}` };
  const whole = await post(router, '/v1/messages', ask, key);
  assert.match(await whole.text(), /"model":"anthropic:claude-x".*Hello from Claude/);
  const streamed = await post(
    router,
    '/v1/messages',
    { ...ask, stream: true },
    {
      ...key,
      'anthropic-version': '2030-01-01',
      'anthropic-beta': 'one,two',
    },
  );
  assert.match(await streamed.text(), /event: message_stop/);
  assert.equal((await post(router, '/v1/messages/count_tokens', ask, key)).status, 200);
  assert.deepEqual(
    anthropic.requests.map(({ path, headers }) => [path, headers['anthropic-version'], headers['anthropic-beta']]),
    [
      ['/v1/messages', '2023-06-01', undefined],
      ['/v1/messages', '2030-01-01', 'one,two'],
      ['/v1/messages/count_tokens', '2023-06-01', undefined],
    ],
  );
  assert.ok(!JSON.stringify(anthropic.requests.map(({ headers }) => headers)).includes(CLIENT_KEY));
  const [first] = await router.settled(3);
  assert.deepEqual([first?.usage?.promptTokens, first?.usage?.completionTokens], [7, 2]);
});

test('a provider that is not configured is a 404 that says how to configure it, and a prefix alone is no model', async () => {
  await using openai = await fakeProvider('openai');
  await using router = await startDataPlane([openai.node()]);
  const answer = await router.chat({ model: 'google:gemini-x' });
  assert.equal(answer.headers.get('x-should-retry'), 'false');
  const text = await answer.text();
  assert.match(text, /model_not_found/);
  assert.match(text, /providers: \{ google: \{ apiKey: .*GOOGLE_API_KEY.*WEIR_PROVIDERS_GOOGLE_API_KEY/);
  const model = await fetch(`${router.url}/v1/models/anthropic:claude-x`);
  assert.equal(model.status, 404);
  assert.match(await model.text(), /WEIR_PROVIDERS_ANTHROPIC_API_KEY/);
  for (const name of ['openai:', 'openai', 'openai:latest']) {
    assert.deepEqual(await told(router.chat({ model: name })), [404, 'model_not_found'], name);
  }
  assert.equal(openai.requests.length, 0);
});

test('lists show the models of a provider that the operator named, and only those', async () => {
  await using openai = await fakeProvider('openai');
  await using router = await startDataPlane([
    openai.node({ models: { 'openai:gpt-x': 'gpt-x' } }),
    { url: openai.url },
  ]);
  const list = await (await fetch(`${router.url}/v1/models`)).text();
  const tags = await (await fetch(`${router.url}/api/tags`)).text();
  assert.deepEqual(
    [...list.matchAll(/"id":"([^"]*)"/g)].map(([, id]) => id),
    ['llama3', 'openai:gpt-x'],
  );
  assert.deepEqual(
    [...tags.matchAll(/"name":"([^"]*)"/g)].map(([, id]) => id),
    ['llama3:latest', 'openai:gpt-x'],
  );
  assert.equal((await fetch(`${router.url}/v1/models/openai:another`)).status, 200);
  assert.equal((await router.chat({ model: 'openai:gpt-x' })).status, 200);
});

test("a provider's 429 and Retry-After are passed on, and it is left alone meanwhile", async () => {
  await using openai = await fakeProvider('openai', { answer: inTurn(status(429, { 'retry-after': '30' }), chat) });
  await using router = await startDataPlane([openai.node()]);
  const first = await router.chat({ model: 'openai:gpt-x' });
  assert.equal(first.headers.get('retry-after'), '30');
  assert.deepEqual(await told(first), [503, 'capacity_exceeded']);
  const second = router.chat({ model: 'openai:gpt-y' }, { headers: { 'x-weir-max-wait-ms': '0' } });
  assert.deepEqual(await told(second), [504, 'wait_timeout']);
  assert.equal(openai.requests.length, 1);
});

test('what Google asks for in the body of a 429 is passed on likewise', async () => {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34s' }];
  const refusal = [{ error: { code: 429, message: 'Quota exceeded', status: 'RESOURCE_EXHAUSTED', details } }];
  await using google = await fakeProvider('google', { answer: (_request, reply) => reply.json(429, refusal) });
  await using router = await startDataPlane([google.node()]);
  const answer = await router.chat({ model: 'google:gemini-x' });
  assert.equal(answer.headers.get('retry-after'), '34');
  assert.deepEqual(await told(answer), [503, 'capacity_exceeded']);
});

test("a provider's own 4xx is told in the client's form, whatever form it came in", async () => {
  const refusal = [
    { error: { code: 400, message: 'Request contains an invalid argument.', status: 'INVALID_ARGUMENT' } },
  ];
  await using google = await fakeProvider('google', { answer: (_request, reply) => reply.json(400, refusal) });
  await using router = await startDataPlane([google.node()]);
  const chatAnswer = await router.chat({ model: 'google:gemini-x' });
  assert.equal(chatAnswer.status, 400);
  assert.match(await chatAnswer.text(), /^\{"error":\{"message":"Request contains an invalid argument\."/);
  const ask = { model: 'google:gemini-x', max_tokens: 5, messages: [{ role: 'user', content: 'hello' }] };
  const messages = await post(router, '/v1/messages', ask);
  assert.equal(messages.status, 400);
  assert.match(await messages.text(), /^\{"type":"error","error":\{.*Request contains an invalid argument\./);
});

test("what a provider says of a client's own words names the model as the client does", async () => {
  const refusal = { error: { message: 'gpt-x of OpenAI at https://inner.example/v1 takes no such thing', code: null } };
  await using openai = await fakeProvider('openai', { answer: (_request, reply) => reply.json(400, refusal) });
  await using router = await startDataPlane([openai.node({ name: 'openai' })]);
  const answer = await (await router.chat({ model: 'openai:gpt-x' })).text();
  assert.match(answer, /"openai:gpt-x of OpenAI at \[address\] takes no such thing"/);
});

test('more requests than maxConcurrent wait for each other, whatever models of the provider they name', async () => {
  const gate = held();
  await using openai = await fakeProvider('openai', { answer: gate.answer });
  await using router = await startDataPlane([openai.node({ slots: 2, models: { 'openai:listed': 'listed' } })]);
  const names = ['openai:a', 'openai:listed', 'openai:b', 'openai:listed', 'openai:c'];
  const answers = names.map((model) => router.chat({ model }));
  await until(() => router.plane.gauges().waiters === 3, { what: '3 waiters' });
  assert.equal(openai.requests.length, 2);
  gate.release();
  for (const answer of await Promise.all(answers)) assert.equal(answer.status, 200);
  await router.settled(5);
});

test('what a provider says of one model is not held against its others', async () => {
  const refusals = new Map([
    ['unknown', status(404, {}, 'The model `unknown` does not exist or you do not have access to it.')],
    ['forbidden', status(403, {}, 'Project does not have access to model `forbidden`')],
  ]);
  await using openai = await fakeProvider('openai', {
    answer: (request, reply) => {
      const [, model = ''] = /"model":"(\w+)"/.exec(request.body.toString()) ?? [];
      return (refusals.get(model) ?? chat)(request, reply);
    },
  });
  await using router = await startDataPlane([openai.node()]);
  for (let turn = 0; turn < 5; turn += 1) {
    assert.deepEqual(await told(router.chat({ model: 'openai:unknown' })), [404, 'model_not_found']);
    assert.deepEqual(await told(router.chat({ model: 'openai:forbidden' })), [502, 'upstream_failed']);
    assert.equal((await router.chat({ model: 'openai:fine' })).status, 200);
  }
  assert.deepEqual(
    router.messages.filter(({ kind }) => kind === 'doubt'),
    [],
  );
});

test("what else a provider does not find is the client's to read, less the key it repeats", async () => {
  const words = `Previous response resp_1 not found for key ${PROVIDER_KEY}`;
  await using openai = await fakeProvider('openai', { answer: status(404, {}, words) });
  await using router = await startDataPlane([openai.node()]);
  for (let turn = 0; turn < 2; turn += 1) {
    const answer = await post(router, '/v1/responses', { model: 'openai:gpt-x', input: 'a' });
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /Previous response resp_1 not found for key \[key\]/);
  }
  assert.equal(openai.requests.length, 2, 'the endpoint is there all the same');
});

test('a key that a provider refuses is doubted and never told', async () => {
  await using openai = await fakeProvider('openai');
  await using router = await startDataPlane([openai.node({ apiKey: 'another-key' })]);
  assert.deepEqual(await told(router.chat({ model: 'openai:gpt-x' })), [502, 'upstream_failed']);
  const doubts = router.messages.flatMap((message) => (message.kind === 'doubt' ? [message.doubt.reason] : []));
  assert.deepEqual(doubts, ['unauthorized']);
});

test('names that clients invent leave nothing behind', async () => {
  await using openai = await fakeProvider('openai', {
    answer: (_request, reply) => reply.json(200, completion('hello', 'm')),
  });
  await using router = await startDataPlane([openai.node()]);
  for (let nth = 0; nth < 50; nth += 1) await (await router.chat({ model: `openai:invented-${nth}` })).text();
  const settlements = await router.settled(50);
  assert.deepEqual([...new Set(settlements.map(({ modelOffered }) => modelOffered))], [false]);
  assert.deepEqual(router.plane.gauges().models, []);
});

test('what is no message of Anthropic’s is told to it as one, and its answer told back', async () => {
  await using anthropic = await fakeProvider('anthropic');
  await using router = await startDataPlane([anthropic.node()]);
  const model = 'anthropic:claude-x';
  const messages = [{ role: 'user', content: 'hello' }];
  const key = { authorization: `Bearer ${CLIENT_KEY}`, 'anthropic-version': 'not-meant-for-chat' };
  const whole = await post(router, '/v1/chat/completions', { model, messages }, key);
  assert.match(await whole.text(), /"object":"chat\.completion".*"model":"anthropic:claude-x".*Hello from Claude/);
  const streamed = await post(router, '/v1/chat/completions', { model, messages, stream: true }, key);
  assert.match(await streamed.text(), /"chat\.completion\.chunk".*Hello from Claude.*data: \[DONE\]\n\n$/s);
  const responses = await post(router, '/v1/responses', { model, input: 'hello' }, key);
  assert.match(await responses.text(), /"object":"response".*Hello from Claude/);
  const ollama = await post(router, '/api/chat', { model, messages, stream: false }, key);
  assert.match(await ollama.text(), /"message":\{"role":"assistant","content":"Hello from Claude"/);
  assert.deepEqual(
    anthropic.requests.map(({ path, headers }) => [path, headers['anthropic-version']]),
    Array.from({ length: 4 }, () => ['/v1/messages', '2023-06-01']),
  );
  for (const { body } of anthropic.requests) assert.match(body.toString(), /"model":"claude-x"/);
  const sent = JSON.stringify(anthropic.requests.map(({ headers, body }) => [headers, body.toString()]));
  assert.ok(!sent.includes(CLIENT_KEY));
  assert.deepEqual(await told(post(router, '/v1/embeddings', { model, input: 'a' })), [404, 'model_not_found']);
  assert.deepEqual(await told(post(router, '/v1/chat/completions', { model, messages, n: 2 })), [
    400,
    'unsupported_field',
  ]);
  await router.settled(6);
});

test("Anthropic's clients are served by providers that speak OpenAI's dialect", async () => {
  await using openai = await fakeProvider('openai');
  await using google = await fakeProvider('google');
  await using router = await startDataPlane([openai.node(), google.node()]);
  for (const model of ['openai:gpt-x', 'google:gemini-x']) {
    const ask = { model, max_tokens: 5, messages: [{ role: 'user', content: 'hello' }] };
    const answer = await post(router, '/v1/messages', ask, {
      'x-api-key': CLIENT_KEY,
      'anthropic-version': '2023-06-01',
    });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    assert.match(text, /"type":"message".*Hello from a node/);
  }
  const paths = [...openai.requests, ...google.requests].map(({ path }) => path);
  assert.deepEqual(paths, ['/v1/chat/completions', '/v1beta/openai/chat/completions']);
});
