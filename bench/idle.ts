// Memory of an idle router with one node, started as `weir serve` is: 20 s after its start and again 20 s after 2000 requests. The goal is on
// RssAnon; the mapped pages of the runtime's binary are shared and not ours, and are printed beside it.
import { setTimeout as delay } from 'node:timers/promises';
import { ask, clientConnections } from './support/clients.ts';
import { startPlainRouter, startStubNode } from './support/processes.ts';
import { judge, median, say, writeResult } from './support/report.ts';

const STARTS = 3;
const REST_MS = 20_000;
const REQUESTS = 2000;

const starts: { readonly idleMb: number; readonly idleRssMb: number; readonly afterMb: number }[] = [];
await using node = await startStubNode(0);
for (let n = 0; n < STARTS; n++) {
  await using router = await startPlainRouter(node.url);
  await delay(REST_MS);
  const idle = { idleMb: router.anonymousMb(), idleRssMb: router.residentMb() };
  const agent = clientConnections(8);
  const client = async (): Promise<void> => {
    for (let sent = 0; sent < REQUESTS / 8; sent++) {
      const { status } = await ask(agent, router.url);
      if (status !== 200) throw new Error(`answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  await agent.close();
  await delay(REST_MS);
  const each = { ...idle, afterMb: router.anonymousMb() };
  starts.push(each);
  say(
    `start ${n + 1}: idle RssAnon ${each.idleMb.toFixed(1)} MB (RSS ${each.idleRssMb.toFixed(1)} MB), ` +
      `after ${REQUESTS} requests ${each.afterMb.toFixed(1)} MB`,
  );
}
const idleMb = median(starts.map((each) => each.idleMb));
writeResult('idle', 'npm run check', { starts });
const holds = judge([{ goal: 'idle at most 50 MB RssAnon', holds: idleMb <= 50, seen: `${idleMb.toFixed(1)} MB` }]);
process.exitCode = holds ? 0 : 1;
