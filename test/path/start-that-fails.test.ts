import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { startWeir } from '../support/start-weir.ts';

/** An address that another program listens on. */
async function takenAddress(context: TestContext): Promise<string> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  context.after(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : '';
}

async function outputOfFailedStart(config: object): Promise<string> {
  try {
    await (await startWeir(config, { until: 'listening' })).stop();
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  throw new Error('the router started');
}

test('a port in use is told in one sentence that names the address', async (t) => {
  const address = await takenAddress(t);
  for (const config of [{ listen: address }, { admin: { listen: address } }]) {
    const output = await outputOfFailedStart(config);
    assert.ok(output.includes(`${address} is in use`), output);
    assert.match(output, /^weir could not start: [^\n]*$/m);
    assert.doesNotMatch(output, /^ {4}at /m);
  }
});

test('a broken configuration is told with file and line, and nothing is started', async () => {
  const output = await outputOfFailedStart({ queue: { maxWaiter: 20, timeout: 30 } });
  assert.match(output, /^The configuration has 2 problems:$/m);
  assert.match(output, /^ {2}queue\.maxWaiter \(.*weir\.yaml:\d+\): unknown; did you mean maxWaiters\?$/m);
  assert.match(output, /^ {2}queue\.timeout \(.*weir\.yaml:\d+\): "30" has no unit/m);
});
