import { openSync, closeSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODEL } from '../far-side/texts.ts';
import type { Candidate, Scene } from './candidate.ts';
import { inRunFolder } from './places.ts';
import { freePort, spawnPinned } from './spawned.ts';
import type { Build } from './weir-build.ts';
import { WeirRecords } from './weir-records.ts';

// Weir with everything on that a shared router needs: keys required, history, metrics, a log line per request into a file. Settings are the
// defaults, but for the places on the nodes and in the waiting room, which a part decides.

const KEY = 'bench-key-of-one-measurement';
const TOKEN = 'bench-token';

export interface Variant {
  readonly name: string;
  /** More flags of `weir serve`. */
  readonly flags?: readonly string[];
  /** Options of Node itself, before the program. */
  readonly nodeFlags?: readonly string[];
}

export function weir(build: Build, { name, flags = [], nodeFlags = [] }: Variant): Candidate {
  let configuration = '';
  return {
    name,
    kind: 'weir',
    version: [build.version, ...nodeFlags, ...flags].join(' '),
    configuration: () => configuration,
    start: (nodes, scene) =>
      inRunFolder(name, async (path) => {
        const [port, adminPort] = [await freePort(), await freePort()];
        const file = join(path, 'weir.yaml');
        configuration = configurationOf(port, adminPort, nodes, scene);
        writeFileSync(file, configuration);
        closeSync(openSync(join(path, 'stdout.log'), 'a'));
        const spawned = await spawnPinned({
          name,
          argv: [process.execPath, ...nodeFlags, build.main, 'serve', `--config=${file}`, ...flags],
          env: { WEIR_ADMIN_TOKEN: TOKEN },
          folder: path,
          target: {
            url: `http://127.0.0.1:${port}`,
            basePath: '',
            headers: { authorization: `Bearer ${KEY}` },
            model: MODEL,
          },
        });
        const metrics = async (): Promise<string> => {
          const headers = { authorization: `Bearer ${TOKEN}` };
          return (await fetch(`http://127.0.0.1:${adminPort}/metrics`, { headers })).text();
        };
        return {
          ...spawned,
          records: new WeirRecords(join(path, 'data/weir.db'), join(path, 'stdout.log'), metrics),
          waiters: async () => Number(/^weir_waiters (\d+)/m.exec(await metrics())?.[1] ?? Number.NaN),
        };
      }),
  };
}

function configurationOf(port: number, adminPort: number, nodes: readonly string[], scene: Scene): string {
  const listed = nodes.map(
    (url, n) => `  - { name: node-${n}, url: "${url}", engine: vllm, maxConcurrent: ${scene.slotsPerNode} }`,
  );
  return `listen: 127.0.0.1:${port}
admin: { listen: "127.0.0.1:${adminPort}" }
dataDir: ./data
auth:
  clients: required
  keys: [{ label: bench, key: "${KEY}" }]
discovery: { enabled: false }
queue: { maxWaiters: ${scene.maxWaiters}, timeout: 10m }
nodes:
${listed.join('\n')}
`;
}
