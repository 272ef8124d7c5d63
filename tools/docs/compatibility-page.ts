import { type AgentRow, type ClientRow, nodesFor, type Operation, operations } from '../../test/clients/clients.ts';
import { fetched, type FetchedClient } from '../clients/pins.ts';

const opening = `# Compatibility

Clients that are run against the router unchanged, with nothing but their base URL set. This page is made by \`npm run docs\` from
[test/clients/clients.ts](../test/clients/clients.ts), which the tests beside it hold to be true, and from the versions in
\`package-lock.json\`. \`npm run test:clients\` runs them all.
`;

/** The text of docs/compatibility.md. `versions` are by package. */
export function compatibilityPage(
  rows: readonly ClientRow[],
  agents: readonly AgentRow[],
  versions: ReadonlyMap<string, string>,
): string {
  const notes: string[] = [];
  const cell = (row: ClientRow, operation: Operation): string => {
    const note = row.lacks[operation];
    if (note === undefined) return 'yes';
    const seen = notes.indexOf(note);
    return `no (${seen < 0 ? notes.push(note) : seen + 1})`;
  };
  const names = Object.keys(operations).filter(isOperation);
  const lines = rows.map((row) => {
    const packages = row.fetched
      ? packageOf(row.fetched)
      : row.packages.map((name) => `\`${name}\` ${versions.get(name) ?? 'absent'}`).join(', ');
    return tableLine([
      row.name,
      packages,
      `\`${row.path}\``,
      nodesFor[row.path].join(', '),
      ...names.map((name) => cell(row, name)),
    ]);
  });
  return [
    opening,
    '## Clients',
    '',
    tableLine(['client', 'tested with', 'endpoint', 'nodes', ...names]),
    tableLine(['---', '---', '---', '---', ...names.map(() => '---')]),
    ...lines,
    '',
    'The first of the nodes speak the endpoint themselves; for the others requests are translated ([dialects](dialects.md)). What holds, holds',
    'on each. They are scripted; [test/engine/every-client.test.ts](../test/engine/every-client.test.ts) has whole and streamed answers, tools and',
    'leaving before a real llama.cpp.',
    '',
    ...names.map((name) => `- **${name}**: ${operations[name]}`),
    '',
    'What a client itself does not do:',
    '',
    ...notes.map((note, index) => `${index + 1}. ${note}`),
    '',
    '## Coding agents',
    '',
    "Each in a session from the command line, in which a scripted model writes a file by one of the agent's own tools.",
    '',
    tableLine(['agent', 'tested with', 'endpoint', 'nodes', 'needs']),
    tableLine(['---', '---', '---', '---', '---']),
    ...agents.map(({ client, path, nodes, needs }) =>
      tableLine([fetched[client].name, packageOf(fetched[client]), `\`${path}\``, nodes.join(', '), needs ?? '']),
    ),
    '',
    '## Replayed',
    '',
    'The requests that Open WebUI makes to an Ollama and to an OpenAI connection ([as its source has them](../test/fixtures/open-webui.ts)), on',
    'nodes of `ollama` and of `openai`.',
    '',
  ].join('\n');
}

function packageOf({ package: name, version, registry }: FetchedClient): string {
  return `\`${name}\` ${version}${registry === 'pypi' ? ' (PyPI)' : ''}`;
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function isOperation(name: string): name is Operation {
  return name in operations;
}

/** The version of every package that a lock file names at its root, by package. */
export function lockedVersions(lockFile: string): ReadonlyMap<string, string> {
  const lock: unknown = JSON.parse(lockFile);
  const versions = new Map<string, string>();
  if (typeof lock !== 'object' || lock === null || !('packages' in lock)) return versions;
  const { packages } = lock;
  if (typeof packages !== 'object' || packages === null) return versions;
  for (const [path, entry] of Object.entries(packages)) {
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1];
    const version: unknown = typeof entry === 'object' && entry !== null ? Reflect.get(entry, 'version') : undefined;
    if (name !== undefined && typeof version === 'string') versions.set(name, version);
  }
  return versions;
}
