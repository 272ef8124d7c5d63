import type { Settings } from '../fleet/settings.ts';
import { isLoopback } from '../config/values/addresses.ts';
import type { FoundNode, Listening } from './app.ts';

// What people read in the terminal around a start and a stop, as pure functions. Plain text, no colours: it ends up in
// journals and bug reports as often as in terminals.

/** Printed once when both listeners are up. */
export function startedText(
  version: string,
  { clientUrl, adminUrl, agentsUrl, adminToken }: Listening,
  settings: Settings,
  file: string | null,
): string {
  const isKeyless =
    settings.auth.clients === 'off' || (settings.auth.clients === 'auto' && isLoopback(settings.listen.host));
  const forPeople = reachable(clientUrl);
  const lines = [
    `weir ${version}${file === null ? '' : ` (configuration: ${file})`}`,
    `  clients  ${clientUrl}    OPENAI_BASE_URL=${forPeople}/v1${isKeyless ? ' OPENAI_API_KEY=none' : ''}`,
    `  admin    ${adminUrl}`,
    ...(agentsUrl === null ? [] : [`  agents   ${agentsUrl}`]),
  ];
  if (adminToken !== null) {
    lines.push(`  token    ${adminToken}    (of the admin API; shown only now, kept in ${settings.dataDir})`);
  }
  if (!isKeyless) lines.push('  Clients need a key: declare one under auth.keys, or make one with POST /api/keys.');
  return `${lines.join('\n')}\n`;
}

/** Every address (0.0.0.0, ::) is none that a client can be given; on this machine loopback reaches it. */
export function reachable(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

/** Printed once after the first round of probes. */
export function nodesText(nodes: readonly FoundNode[], adminUrl: string, hasDemo: boolean): string {
  if (nodes.length === 0) return noNodesText(adminUrl) + (hasDemo ? DEMO_HINT : '');
  const width = Math.max(...nodes.map(({ name }) => name.length));
  const lines = nodes.map(({ name, url, engine, state, models }) => {
    const offers = state === 'ready' ? `, ${models} ${models === 1 ? 'model' : 'models'}` : '';
    return `  ${name.padEnd(width)}  ${url}  ${engine}, ${state}${offers}`;
  });
  const ready = nodes.filter(({ state }) => state === 'ready').length;
  const heading = `${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}, ${ready} ready:`;
  const hint =
    ready > 0 ? [] : ['No node is ready yet; weir keeps probing them. Check their addresses if this stays so.'];
  return `${[heading, ...lines, ...hint].join('\n')}\n`;
}

/** The three ways to add a node, and what to do without one. */
function noNodesText(adminUrl: string): string {
  return `No inference engine was found. Requests are answered 404 until there is one. Add one:
  1. by flag:    weir serve --node http://HOST:11434
  2. by file:    weir.yaml with
                   nodes:
                     - url: "http://HOST:8000"
  3. at run time, with the admin token:
                 curl -X POST ${reachable(adminUrl)}/api/nodes -H "Authorization: Bearer TOKEN" \\
                   -H "Content-Type: application/json" -d '{"name":"gpu-1","url":"http://HOST:8000"}'
`;
}

const DEMO_HINT = 'No engine at hand? See it work with the demonstration: npm run demo\n';

export function stoppingText(signal: string, shutdownMs: number): string {
  return `${signal}: finishing the running answers, at most ${Math.ceil(shutdownMs / 1000)} s; once more stops at once\n`;
}

export function stoppedText(message: string): string {
  return `weir stopped: ${message}\n`;
}

export function tightenedText(dataDir: string): string {
  return `${dataDir} was open to other users of this machine; its mode is 0700 now`;
}

export function problemsText(problems: readonly string[]): string {
  const what =
    problems.length === 1 ? 'The configuration has a problem:' : `The configuration has ${problems.length} problems:`;
  return `${[what, ...problems.map((problem) => `  ${problem}`)].join('\n')}\n`;
}

export function warningsText(warnings: readonly string[]): string {
  return warnings.map((warning) => `warning: ${warning}\n`).join('');
}

/** One sentence for any reason why a start failed. */
export function startFailedText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `weir could not start: ${message.split('\n')[0]}\n`;
}
