import type { DnsSource } from '../../fleet/settings.ts';
import type { Environment } from '../sources/environment.ts';
import type { SourceFile } from '../sources/tree.ts';
import { readYamlList } from '../sources/yaml-file.ts';
import type { Problems } from '../problems.ts';
import { type InForce, lookUp } from '../resolve.ts';
import { count, line } from '../values/kinds.ts';
import { entriesOf } from './fields.ts';
import { type NodeDraft, readNodes, readTraits, traitFields } from './nodes.ts';

// Where nodes are found besides this machine's ports: names in DNS, and a file that another program keeps.

const FIELDS = ['name', 'port', ...traitFields] as const;

/** Reads `discovery.dns`. */
export function readDnsSources(file: SourceFile, problems: Problems, inForce: InForce[]): readonly DnsSource[] {
  const sources = new Map<string, DnsSource>();
  for (const fields of entriesOf(lookUp(file, 'discovery.dns'), 'discovery.dns', FIELDS, file.name, problems)) {
    const name = fields.scalar('name', line('name', checkDnsName));
    const port = fields.scalar('port', count({ min: 1, max: 65_535 })) ?? null;
    const node = readTraits(fields);
    if (!fields.has('name'))
      fields.problem(null, 'has no name; write one such as name: vllm.default.svc.cluster.local');
    if (name === undefined) continue;
    const id = port === null ? name : `${name}:${port}`;
    if (sources.has(id)) fields.problem('name', `"${id}" is there twice; keep one of them`);
    sources.set(id, { id, name, port, node });
    const shown = `${port === null ? 'SRV records' : `port ${port}`}; engine ${node.engine}`;
    inForce.push({ path: `discovery.dns.${id}`, shown, origin: `file:${fields.line}` });
  }
  return [...sources.values()];
}

/** Reads the file that `discovery.file` names: a list as under `nodes`, by itself or under that key. Null where it cannot be used. */
export async function readNodeFile(
  path: string,
  env: Environment,
  problems: Problems,
): Promise<readonly NodeDraft[] | null> {
  const own = await readYamlList(path, 'discovery.file', 'nodes', env, problems);
  return own && readNodes(own, env, problems);
}

function checkDnsName(text: string): string | null {
  return /^[A-Za-z0-9_]([\w-]*[\w])?(\.[A-Za-z0-9_]([\w-]*[\w])?)*\.?$/.test(text) && text.length <= 253
    ? null
    : `"${text}" is not a name in DNS; write one such as vllm.default.svc.cluster.local`;
}
