import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { AttemptEnd } from '../../src/fleet/settlement.ts';
import { chat, frozen, inTurn, type Scripted, status } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';

// Every row of the verdict table that ends in another node, with a real fault on the first node asked. The faulty one
// has more slots, so it is asked first.

const headThenReset: Scripted = (_request, reply) => {
  reply.response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' });
  reply.response.write('{"half":', () => reply.reset());
};

const streamHeadThenReset: Scripted = (_request, reply) => {
  reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
  reply.response.write(': comment\n\ndata: {"cho', () => reply.reset());
};

const notHttp: Scripted = (_request, reply) => {
  reply.raw('SSH-2.0-OpenSSH\r\n');
  reply.socket.end();
};

const html: Scripted = (_request, reply) => {
  reply.response.writeHead(200, { 'content-type': 'text/html' });
  reply.response.end('<html>Please log in</html>');
};

const torn: Scripted = (_request, reply) => {
  reply.response.writeHead(200, { 'content-type': 'application/json' });
  reply.response.end('{"choices":[{"mess');
};

const largeHtml: Scripted = (_request, reply) => {
  reply.response.writeHead(200, { 'content-type': 'text/html' });
  reply.response.end(`<html>${'x'.repeat(600_000)}`);
};

const streamError: Scripted = (_request, reply) => {
  reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
  reply.response.end('data: {"error":{"message":"out of memory"}}\n\n');
};

const emptyStream: Scripted = (_request, reply) => {
  reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
  reply.response.end();
};

const errorIn200: Scripted = (_request, reply) => reply.json(200, { error: { message: 'no memory' } });

const stalledHead: Scripted = (_request, reply) => {
  reply.response.writeHead(200, { 'content-type': 'application/json' });
  reply.response.write('{');
};

const endless500: Scripted = (_request, reply) => {
  reply.response.writeHead(500);
  const write = (): void => {
    if (!reply.response.destroyed) reply.response.write('x'.repeat(20_000), () => setImmediate(write));
  };
  write();
};

const timeouts = { firstByteMs: 120, betweenBytesMs: 120 };

const faults: readonly (readonly [string, Scripted, AttemptEnd, stream?: boolean])[] = [
  ['resets before any byte', (_request, reply) => reply.reset(), 'reset'],
  ['resets in the middle of a held answer', headThenReset, 'reset'],
  ['resets before the first event of a stream', streamHeadThenReset, 'reset', true],
  ['speaks no HTTP', notHttp, 'garbage'],
  ['answers 200 with a page', html, 'garbage'],
  ['answers 200 with a large page', largeHtml, 'garbage'],
  ['answers 200 with torn JSON', torn, 'garbage'],
  ['answers with a stream without events', emptyStream, 'garbage', true],
  ['redirects', status(302, { location: 'http://127.0.0.1:1/' }), 'redirect'],
  ['sends no first byte', frozen, 'first-byte-timeout'],
  ['stops in the middle of a held answer', stalledHead, 'stalled'],
  ['answers 429', status(429, { 'retry-after': '7' }), 'overloaded'],
  ['answers 503', status(503), 'overloaded'],
  ['answers 503 while loading', status(503, {}, 'Loading model'), 'loading'],
  ['answers 404', status(404), 'model-missing'],
  ['answers 401', status(401), 'unauthorized'],
  ['answers 403', status(403), 'unauthorized'],
  ['answers 500', status(500), 'server-error'],
  ['answers 500 without an end', endless500, 'server-error'],
  ['reports an error in a 200', errorIn200, 'server-error'],
  ['reports an error as the first event', streamError, 'server-error', true],
];

for (const [what, fault, end, stream = false] of faults) {
  test(`where a node ${what}, another node serves the request`, async () => {
    await using bad = await scriptedNode(fault);
    await using good = await scriptedNode();
    await using router = await startDataPlane(
      [
        { url: bad.url, slots: 8 },
        { url: good.url, slots: 1 },
      ],
      { timeouts },
    );
    const response = await router.chat({ stream });
    assert.equal(response.status, 200);
    assert.match(await response.text(), /Hello/);
    const [settlement] = await router.settled(1);
    assert.deepEqual(
      settlement?.attempts.map((attempt) => attempt.end),
      [end, 'complete'],
    );
    assert.deepEqual([settlement?.outcome, settlement?.status, settlement?.code], ['served', 200, null]);
    assert.equal(bad.requests.length, 1);
    assert.deepEqual(bad.requests[0]?.body, good.requests[0]?.body, 'the same bytes are sent again');
  });
}

test('where a node refuses the connection, another node serves the request', async () => {
  const nobody = createServer();
  const port = await new Promise<number>((resolve) => {
    nobody.listen(0, '127.0.0.1', () => {
      const address = nobody.address();
      nobody.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
  await using good = await scriptedNode();
  await using router = await startDataPlane([
    { url: `http://127.0.0.1:${port}`, slots: 100 },
    { url: good.url, slots: 1 },
  ]);
  for (let sent = 0; sent < 3; sent += 1) assert.equal((await router.chat()).status, 200);
  const settlements = await router.settled(3);
  const ends = settlements.flatMap(({ attempts }) => attempts.map(({ end }) => end));
  assert.ok(ends.includes('connect-failed'), String(ends));
  const told = router.messages.find((message) => message.kind === 'doubt');
  assert.deepEqual(told?.doubt, { index: 0, generation: 1, reason: 'unreachable', model: 'llama3' });
});

const everywhere: readonly (readonly [string, Scripted, readonly [number, string, attempts: number]])[] = [
  ['resets', (_request, reply) => reply.reset(), [502, 'upstream_failed', 3]],
  ['is garbage', html, [502, 'upstream_failed', 3]],
  ['is a redirect', status(307, { location: 'http://127.0.0.1:1/' }), [502, 'upstream_failed', 3]],
  ['is 401', status(401), [502, 'upstream_failed', 3]],
  ['is 403', status(403), [502, 'upstream_failed', 3]],
  ['is 500', status(500, { 'retry-after': '9' }), [502, 'upstream_failed', 2]],
  ['is 404', status(404), [404, 'model_not_found', 3]],
  ['is 429', status(429), [503, 'capacity_exceeded', 3]],
  ['is 503', status(503), [503, 'capacity_exceeded', 3]],
  ['never comes', frozen, [504, 'upstream_timeout', 3]],
];

for (const [what, fault, [code, name, attempts]] of everywhere) {
  test(`where the answer of every node ${what}, the client is told ${code} ${name} after ${attempts} attempts`, async () => {
    await using node = await scriptedNode(fault);
    // One node more than attempts, but for 404: that is told only where no node is left that did not say so.
    const nodes = Array.from({ length: code === 404 ? 3 : 4 }, () => ({ url: node.url }));
    await using router = await startDataPlane(nodes, { timeouts });
    const response = await router.chat();
    assert.equal(response.status, code);
    const body = await response.text();
    assert.match(body, new RegExp(`"code":"${name}"`));
    assert.equal(response.headers.has('retry-after'), name === 'capacity_exceeded');
    assert.equal(response.headers.get('x-should-retry'), name === 'model_not_found' ? 'false' : null);
    const [settlement] = await router.settled(1);
    assert.equal(settlement?.attempts.length, attempts);
    assert.equal(new Set(settlement?.attempts.map(({ nodeId }) => nodeId)).size, attempts, 'each on another node');
    const outcome = code === 404 ? 'rejected' : 'failed';
    assert.deepEqual([settlement?.outcome, settlement?.status, settlement?.code], [outcome, code, name]);
    assert.equal(node.requests.length, attempts);
  });
}

test('404 from one node and a failure of another is no 404', async () => {
  await using node = await scriptedNode(inTurn(status(404), (_request, reply) => reply.reset(), status(404)));
  await using router = await startDataPlane([{ url: node.url }, { url: node.url }, { url: node.url }]);
  assert.equal((await router.chat()).status, 502);
});

test('an overloaded node is left alone for as long as it asked, and the client told the same', async () => {
  await using node = await scriptedNode(status(429, { 'retry-after': '7' }));
  await using router = await startDataPlane([{ url: node.url }], { queue: { timeoutMs: 50 } });
  const first = await router.chat();
  assert.deepEqual(
    [first.status, first.headers.get('retry-after'), first.headers.get('retry-after-ms')],
    [503, '7', '7000'],
  );
  assert.equal(router.plane.gauges().nodes[0]?.cooling, true);
  const second = await router.chat();
  assert.equal(second.status, 504, 'a cooled node counts as busy: one waits for it');
  assert.match(await second.text(), /wait_timeout/);
  assert.equal(node.requests.length, 1);
  await router.settled(2);
});

test("a node's wish to be left alone for longer than a minute is told as a minute, and that retrying is of no use", async () => {
  await using node = await scriptedNode(status(503, { 'retry-after': '3600' }));
  await using router = await startDataPlane([{ url: node.url }]);
  const { headers } = await router.chat();
  assert.deepEqual(
    [headers.get('retry-after'), headers.get('retry-after-ms'), headers.get('x-should-retry')],
    ['60', '60000', 'false'],
  );
});

test('a 500 is held against the node only if another node serves the same request', async () => {
  await using broken = await scriptedNode(status(500));
  await using good = await scriptedNode(inTurn(status(500), status(500), status(500), status(500), chat));
  await using router = await startDataPlane([{ url: broken.url }, { url: good.url }]);
  const breakers = (): (string | undefined)[] => router.plane.gauges().nodes.map(({ breaker }) => breaker);
  // Five in a row would be a suspicion of its own.
  for (let sent = 0; sent < 4; sent += 1) assert.equal((await router.chat()).status, 502);
  assert.deepEqual(breakers(), ['closed', 'closed'], 'it may have been the requests');
  for (let sent = 0; sent < 40; sent += 1) assert.equal((await router.chat()).status, 200);
  assert.deepEqual(breakers(), ['open', 'closed']);
});

test('retries are paid from a budget, and when it is spent failures are told at once', async () => {
  await using bad = await scriptedNode((_request, reply) => reply.reset());
  await using router = await startDataPlane(
    [1, 2, 3].map(() => ({ url: bad.url, slots: 300 })),
    { queue: { timeoutMs: 100 } },
  );
  const answers = await Promise.all(Array.from({ length: 200 }, () => router.chat()));
  assert.ok(answers.every((response) => response.status === 502 || response.status === 503 || response.status === 504));
  const settlements = await router.settled(200);
  const retries = settlements.reduce((sum, { attempts }) => sum + Math.max(0, attempts.length - 1), 0);
  // A bucket of 100 that fills by 0.2 a request and 10 a second.
  assert.ok(retries <= 100 + 40 + 100, `${retries} retries`);
  assert.ok(settlements.some(({ attempts }) => attempts.length === 1));
});
