import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { spawnTied } from '../../tools/engine/spawn-tied.ts';
import { newToken, nodeIs, offered, shownNode } from '../support/agent-fleet.ts';
import { quickAgents, startAgent } from '../support/start-agent.ts';
import { startRouter } from '../support/start-router.ts';
import { until } from '../support/until.ts';

// Three machines as three network namespaces, each joined to this one by a cable of its own, with a simulated engine and an agent on
// each. Needs the superuser of a Linux with network namespaces; elsewhere it is skipped.

function ip(...args: readonly string[]): void {
  execFileSync('ip', [...args], { stdio: 'ignore' });
}

function canMakeNetworks(): boolean {
  try {
    ip('netns', 'add', `weir-probe-${process.pid}`);
    ip('netns', 'del', `weir-probe-${process.pid}`);
    return true;
  } catch {
    return false;
  }
}

interface Machine {
  readonly network: string;
  readonly cable: string;
  readonly address: string;
  readonly routerAddress: string;
  readonly engineUrl: string;
  readonly within: readonly string[];
}

async function machine(t: TestContext, number: number): Promise<Machine> {
  const network = `weir-${process.pid}-${number}`;
  const cable = `wv${process.pid % 100_000}n${number}`;
  const subnet = `10.${200 + number}.${process.pid % 250}`;
  ip('netns', 'add', network);
  // Takes the cable with it.
  t.after(() => ip('netns', 'del', network));
  ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', network);
  ip('addr', 'add', `${subnet}.1/24`, 'dev', cable);
  ip('link', 'set', cable, 'up');
  const address = `${subnet}.2`;
  for (const args of [
    ['link', 'set', 'lo', 'up'],
    ['addr', 'add', `${address}/24`, 'dev', 'eth0'],
    ['link', 'set', 'eth0', 'up'],
  ])
    ip('-n', network, ...args);
  const within = ['ip', 'netns', 'exec', network];
  const args = [...within.slice(1), process.execPath, resolve(import.meta.dirname, '../../sim/engine.ts')];
  // Listens on all of the machine's addresses; `shared` is on each of them.
  const flags = ['--host', '0.0.0.0', '--port', '8000', '--model', 'shared', '--model', `only-${number}`];
  const engine = spawnTied('ip', [...args, ...flags], { env: process.env });
  let printed = '';
  engine.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  t.after(() => void engine.kill('SIGKILL'));
  await until(() => /listens on/.test(printed), { what: `the engine of ${network}`, withinMs: 20_000 });
  return { network, cable, address, routerAddress: `${subnet}.1`, engineUrl: `http://${address}:8000`, within };
}

test('of three machines one loses its network, one changes its address and one is killed: the fleet is seen as it is, and requests go on', async (t) => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !canMakeNetworks()) {
    t.skip('needs the superuser of a Linux with network namespaces');
    return;
  }
  const [cut, moves, dies] = await Promise.all([machine(t, 1), machine(t, 2), machine(t, 3)]);
  const agents = { ...quickAgents, timeoutMs: 5000, listen: { host: '0.0.0.0', port: 0 } };
  await using router = await startRouter({
    agents,
    health: { intervalMs: 500, timeoutMs: 1000 },
    timeouts: { connectMs: 1000 },
  });
  const { port } = new URL(router.agentsUrl);
  const { token } = await newToken(router);
  const join = (at: Machine, name: string, ...flags: readonly string[]): ReturnType<typeof startAgent> =>
    startAgent({
      router: `http://${at.routerAddress}:${port}`,
      token,
      // Port 8000 is a usual one.
      engine: 'auto',
      name,
      flags: ['--insecure', ...flags],
      within: at.within,
    });
  await using first = join(cut, 'cut', '--tunnel');
  await using second = join(moves, 'moves', '--advertise', moves.address);
  await using third = join(dies, 'dies', '--tunnel');
  const ids = new Map<string, string>();
  for (const name of ['cut', 'moves', 'dies']) ids.set(name, (await nodeIs(router, name, 'ready')).id);
  for (const number of [1, 2, 3]) await offered(router.url, `only-${number}`);

  // Requests all the while, for a model that every machine has: none may be lost.
  const statuses = new Map<number, number>();
  const over = new AbortController();
  const asking = (async (): Promise<void> => {
    while (!over.signal.aborted) {
      const answer = await router.chat({ model: 'shared', max_tokens: 2 });
      await answer.arrayBuffer();
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    }
  })();
  // What fails below ends the router under it; only the cause is of interest.
  asking.catch(() => undefined);

  ip('link', 'set', cut.cable, 'down');
  third.kill();
  await Promise.all([nodeIs(router, 'cut', 'offline'), nodeIs(router, 'dies', 'offline')]);
  assert.equal((await shownNode(router, 'moves'))?.state, 'ready');
  assert.equal((await router.chat({ model: 'only-2', max_tokens: 2 })).status, 200);

  ip('link', 'set', cut.cable, 'up');
  await nodeIs(router, 'cut', 'ready');
  assert.equal((await shownNode(router, 'cut'))?.id, ids.get('cut'));

  const moved = moves.address.replace(/2$/, '77');
  ip('-n', moves.network, 'addr', 'del', `${moves.address}/24`, 'dev', 'eth0');
  ip('-n', moves.network, 'addr', 'add', `${moved}/24`, 'dev', 'eth0');
  second.kill('SIGTERM');
  await second.ended();
  await using renewed = startAgent({
    router: `http://${moves.routerAddress}:${port}`,
    token,
    engine: 'http://127.0.0.1:8000',
    name: 'moves',
    flags: ['--insecure', '--advertise', moved],
    within: moves.within,
    dataDir: second.dataDir,
  });
  await renewed.says(/in touch/);
  const now = await nodeIs(router, 'moves', 'ready');
  assert.deepEqual([now.id, now.url], [ids.get('moves'), `http://${moved}:8000`]);
  for (const model of ['only-1', 'only-2']) assert.equal((await router.chat({ model, max_tokens: 2 })).status, 200);
  over.abort();
  await asking;
  t.diagnostic(`statuses: ${JSON.stringify([...statuses])}`);
  assert.deepEqual([...statuses.keys()], [200], JSON.stringify([...statuses]));
  first.kill();
});
