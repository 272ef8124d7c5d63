import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { startWeir } from '../support/start-weir.ts';

test('SIGTERM stops an idle router with exit code 0 and says so', async () => {
  const weir = await startWeir();
  assert.equal(await weir.stop(), 0);
  assert.match(weir.output(), /^SIGTERM: finishing the running answers/m);
});

test('a Ctrl-C that arrives twice, as under npm start, still stops it with 0', async () => {
  const weir = await startWeir();
  const ended = once(weir.process, 'exit');
  weir.kill('SIGINT');
  weir.kill('SIGINT');
  const [code] = await ended;
  assert.equal(code, 0);
});
