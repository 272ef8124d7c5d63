import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readErrorMessage, scrubErrorBody, scrubMessage } from './scrub.ts';

const v4 = { baseUrl: 'http://10.1.2.3:18437/llm', name: 'rack-b7' };
const v6 = { baseUrl: 'http://[2001:db8::7f]:18437', name: 'kestrel-node' };
const named = { baseUrl: 'https://gpu-host.internal.example:18437', name: 'a' };

test('URLs, addresses, host, host:port and name become neutral words', () => {
  const cases: [string, string][] = [
    ['cannot reach http://10.1.2.3:18437/llm/v1/chat, retry', 'cannot reach [address], retry'],
    ['see "https://docs.example.com/x?y=1".', 'see "[address]".'],
    ['tcp://192.168.0.9:5557 closed', '[address] closed'],
    ['HTTP:\\/\\/10.1.2.3:18437\\/v1 refused', '[address] refused'],
    ['http:\\u002f\\u002f10.1.2.3:18437 x', '[address] x'],
    ['http%3A%2F%2F10.1.2.3%3A18437%2Fv1 x', '[address] x'],
    ['dial 10.1.2.3:18437: refused', 'dial [address]: refused'],
    ['dial 10.1.2.3.', 'dial [address].'],
    ['peer 172.17.0.2:41000 left', 'peer [address] left'],
    ['on RACK-B7, slot 3', 'on [node], slot 3'],
    ['listening on port 18437', 'listening on [address]'],
    ['localhost:18437 and my.box:18437 down', '[address] and [address] down'],
    ['::ffff:10.1.2.3 left', '[address] left'],
  ];
  for (const [text, clean] of cases) assert.equal(scrubMessage(text, v4), clean);
});

test('IPv6 addresses go in every spelling', () => {
  const spellings = [
    '2001:db8::7f',
    '2001:DB8::7F',
    '2001:db8:0:0:0:0:0:7f',
    '2001:0db8:0000:0000:0000:0000:0000:007f',
  ];
  for (const host of spellings) {
    for (const text of [host, `${host}:18437`, `[${host}]`, `[${host}]:18437`, `http://[${host}]:18437/v1`]) {
      assert.equal(scrubMessage(`from ${text} now`, v6), 'from [address] now', text);
    }
  }
  for (const text of ['fe80::1', '::1', '[fe80::1%eth0]:80', 'http://[::1]:9/x']) {
    assert.equal(scrubMessage(`from ${text} now`, v6), 'from [address] now', text);
  }
});

test('host names go with or without their port, in any case, inside longer words too', () => {
  assert.equal(scrubMessage('GPU-HOST.internal.example:18437 is busy', named), '[address] is busy');
  assert.equal(scrubMessage('x.gpu-host.internal.example', named), 'x.[address]');
});

test('text that names no node stays as it is', () => {
  const texts = [
    'maximum context length is 18437 tokens, 18438 requested',
    'std::vector and a::b at 12:30:45',
    'version 1.2.3 of a/b; 300.1.2.3 and 1.2.3.4.5',
    'port 184370',
    '"temperature" must be <= 2',
  ];
  for (const text of texts) assert.equal(scrubMessage(text, v4), text);
});

test('a short name is replaced only where it stands alone', () => {
  assert.equal(scrubMessage('node a has a bad day, banana', named), 'node [node] has [node] bad day, banana');
  assert.equal(scrubMessage('über_a äa aé', named), 'über_a äa aé');
  const rack = { baseUrl: 'http://vllm:8000', name: 'rack' };
  assert.equal(scrubMessage('tracker of Rack 3, vllm: racks', rack), 'tracker of [node] 3, [address]: racks');
});

test('encoded forms go, wherever they lie in the encoded text', () => {
  for (const node of [v4, v6, { baseUrl: 'http://gpu-host.internal:8000', name: 'kestrel/node?>' }]) {
    const { host, hostname } = new URL(node.baseUrl);
    const secrets = [host, hostname.replace(/^\[|\]$/g, ''), node.name].filter((text) => text.length > 6);
    for (const secret of secrets) {
      for (const around of ['', 'x', 'xy', 'http://', '{"url":"']) {
        const bytes = Buffer.from(`${around}${secret}${around}`);
        for (const form of [bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex')]) {
          assert.equal(
            scrubMessage(`trace ${form}; ${form.toUpperCase() === form ? '' : 'end'}`, node).includes(form),
            false,
          );
        }
        assert.equal(scrubMessage(`id ${bytes.toString('hex').toUpperCase()}`, node), 'id [node]');
      }
    }
  }
});

test('no canary survives, whatever stands around it', () => {
  const canaries = ['10.1.2.3', '10.1.2.3:18437', 'http://10.1.2.3:18437/llm', 'rack-b7'];
  const around = fc.string({
    unit: fc.constantFrom(' ', '"', '\\', '/', '\n', '(', '[', ':', ',', '-', '=', 'é', '@', '%'),
  });
  fc.assert(
    fc.property(fc.constantFrom(...canaries), around, around, (canary, before, after) => {
      const clean = scrubMessage(`${before}${canary}${after}`, v4);
      assert.equal(clean.includes('10.1.2.3'), false, clean);
      assert.equal(clean.includes('rack-b7'), false, clean);
    }),
    { numRuns: 500 },
  );
});

test('very long messages are cut, and cost no more than their length', () => {
  assert.equal(scrubMessage('x'.repeat(100_000), v4).length, 16 * 1024);
  for (const unit of ['a', ':', '/', '1.', 'http', '[', '-.', 'a:', '\\', '0']) {
    const text = unit.repeat(200_000 / unit.length);
    const startedAt = process.cpuUsage().user;
    scrubMessage(text, v6);
    const spentMs = (process.cpuUsage().user - startedAt) / 1000;
    assert.ok(spentMs < 1000, `${unit} took ${spentMs} ms of processor time`);
  }
});

test('an error body keeps its shape, keys, numbers and spacing', () => {
  const body =
    '{ "error" : {"message":"on http:\\/\\/10.1.2.3:18437","code":1e400,"rack-b7":12345678901234567890,"list":["rack-b7",null,{"x":"\\u0031\\u0030.1.2.3"}], "ok":"\\u00e9\\/"}}';
  assert.equal(
    scrubErrorBody(Buffer.from(body), 'application/json; charset=utf-8', v4)?.toString(),
    '{ "error" : {"message":"on [address]","code":1e400,"rack-b7":12345678901234567890,"list":["[node]",null,{"x":"[address]"}], "ok":"\\u00e9\\/"}}',
  );
});

test('any JSON object comes back with its shape, and only its texts scrubbed', () => {
  const node = { baseUrl: 'http://192.0.2.1', name: 'qqqqqqqq' };
  const unnamed = { ...node, name: 'not to be met anywhere' };
  const scrubbed = (value: unknown): unknown => {
    if (typeof value === 'string') return scrubMessage(value, node);
    if (Array.isArray(value)) return value.map(scrubbed);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [scrubMessage(key, unnamed), scrubbed(inner)]),
    );
  };
  const withAddresses = fc.oneof(fc.string(), fc.constantFrom('::0', 'on 192.0.2.1:80', 'qqqqqqqq'));
  const json = fc.jsonValue({ stringUnit: 'grapheme' });
  fc.assert(
    fc.property(fc.dictionary(withAddresses, fc.oneof(json, withAddresses)), (value) => {
      const clean = scrubErrorBody(Buffer.from(JSON.stringify(value)), null, node);
      assert.ok(clean);
      const expected = scrubbed(JSON.parse(JSON.stringify(value)));
      assert.deepEqual(JSON.parse(clean.toString()), expected);
    }),
  );
});

test('what is no JSON object is left to the caller', () => {
  const cases: [string, string | null][] = [
    ['<html>10.1.2.3</html>', 'text/html'],
    ['{"a":1}', 'text/html'],
    ['oops', 'application/json'],
    ['["10.1.2.3"]', 'application/json'],
    ['"10.1.2.3"', 'application/json'],
    ['{"a":', null],
    ['', null],
    [`{"a":"${'x'.repeat(300_000)}"}`, 'application/json'],
    [`{"a":${'['.repeat(120_000)}`, 'application/json'],
  ];
  for (const [body, type] of cases) assert.equal(scrubErrorBody(Buffer.from(body), type, v4), null);
  assert.ok(scrubErrorBody(Buffer.from('{"error":"x"}'), 'text/plain; charset=utf-8', v4));
});

test('the sentence for people is found, and nothing made for machines or browsers', () => {
  assert.equal(readErrorMessage(Buffer.from('{"error":{"message":"too long"}}')), 'too long');
  assert.equal(readErrorMessage(Buffer.from('{"error":"no such model"}')), 'no such model');
  assert.equal(readErrorMessage(Buffer.from(' 404 page not found\n')), '404 page not found');
  for (const body of ['', '<html>x</html>', '{"error":', '{}', '[1]', 'x'.repeat(3000)]) {
    assert.equal(readErrorMessage(Buffer.from(body)), null, body.slice(0, 20));
  }
});

test('a node reached as localhost is not told by its loopback addresses either, whatever the form', () => {
  const local = { baseUrl: 'http://localhost:18044', name: 'workstation' };
  const encoded = ['127.0.0.1:18044', '[::1]:18044', 'localhost:18044'].flatMap((text) => [
    Buffer.from(text).toString('base64'),
    Buffer.from(text).toString('hex'),
  ]);
  for (const said of ['connect ECONNREFUSED ::1:18044', 'listening on :18044', 'at 127.0.0.1:18044', ...encoded]) {
    const clean = scrubMessage(said, local);
    assert.ok(!clean.includes('18044') && !clean.includes('::1'), `${said} → ${clean}`);
    for (const word of encoded) assert.ok(!clean.includes(word), `${said} → ${clean}`);
  }
  assert.equal(scrubMessage('at 12:18044 tokens', local), 'at 12:18044 tokens');
});

test('the engine’s own name of the model, which may be a path, is told as the one that the client asked for', () => {
  const model = { own: '/srv/secret/x.gguf', asked: 'pub' };
  const said = 'model /srv/secret/x.gguf cannot do that';
  assert.equal(
    scrubMessage(said, { baseUrl: 'http://10.0.0.5:8000', name: 'gpu-1', model }),
    'model pub cannot do that',
  );
});

test('addresses are taken out of keys too, names are not', () => {
  const node = { baseUrl: 'http://10.0.0.5:8000', name: 'message' };
  const body = Buffer.from('{"error":{"message":"x","at 10.0.0.5:8000" : 1,"http://10.0.0.5:8000/v1":2}}');
  assert.equal(
    scrubErrorBody(body, 'application/json', node)?.toString(),
    '{"error":{"message":"x","at [address]" : 1,"[address]":2}}',
  );
});
