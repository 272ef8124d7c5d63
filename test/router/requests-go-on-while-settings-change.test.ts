import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '../support/json-path.ts';
import { chat, type Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startWeir } from '../support/start-weir.ts';
import { until } from '../support/until.ts';

const CLIENTS = 16;
const slow: Scripted = (request, reply) => void setTimeout(() => void chat(request, reply), 10);

for (const threads of process.platform === 'linux' ? [1, 2] : [1]) {
  test(`nothing is lost while nodes, limits, policy and pools change under load (threads: ${threads})`, async () => {
    await using one = await scriptedNode({ answer: slow });
    await using two = await scriptedNode({ answer: slow });
    const stays = { name: 'stays', url: one.url, maxConcurrent: 4 };
    const weir = await startWeir({ threads, nodes: [stays], log: { level: 'warn' } });
    const answers = new Map<string, number>();
    const over = new AbortController();
    const client = async (stream: boolean): Promise<void> => {
      while (!over.signal.aborted) {
        const body = JSON.stringify({ model: 'llama3', stream, messages: [{ role: 'user', content: 'hi' }] });
        const answer = await fetch(`${weir.url}/v1/chat/completions`, { method: 'POST', body });
        const text = await answer.text();
        const isWhole = stream ? text.includes('[DONE]') : text.includes('"choices"');
        const end = answer.status === 200 && isWhole ? 'whole' : `${answer.status} ${text}`;
        answers.set(end, (answers.get(end) ?? 0) + 1);
      }
    };
    const clients = Array.from({ length: CLIENTS }, (_, nth) => client(nth % 2 === 0));
    const served = (): number => answers.get('whole') ?? 0;
    for (const [nth, policy] of ['adaptive', 'round-robin', 'adaptive', 'least-loaded'].entries()) {
      const nodes = nth % 2 === 0 ? [stays, { name: 'comes', url: two.url }] : [{ ...stays, maxConcurrent: 3 }];
      const pool = { maxIdlePerNode: 4 + nth };
      weir.configure({ threads, nodes, pool, selection: { policy }, queue: { maxWaiters: 100 + nth } });
      await until(
        async () => at(await (await weir.admin('/api/settings')).json(), 'queue', 'maxWaiters') === 100 + nth,
        { what: () => `change ${nth}\n${weir.output()}`, withinMs: 15_000 },
      );
      const before = served();
      await until(() => served() >= before + 2 * CLIENTS, { what: 'requests after the change', withinMs: 15_000 });
    }
    over.abort();
    await Promise.all(clients);
    assert.deepEqual([...answers.keys()], ['whole']);
    assert.ok(two.count('/v1/chat/completions') > 0, 'the node that came and went was used');
    const { gauges } = Object(await (await weir.admin('/api/stats')).json());
    assert.deepEqual([at(gauges, 'openLeases'), at(gauges, 'waiters')], [0, 0]);
    assert.equal(await weir.stop(), 0);
  });
}
