import type { Settings } from '../fleet/settings.ts';
import { LONGEST_SOCKET_PATH, tunnelSocket } from '../fleet/tunnel-socket.ts';
import type { Problems } from './problems.ts';
import { isLoopback, showAddress } from './values/addresses.ts';

// What a start refuses because strangers could use the router or take it over. `insecure` lets everything pass: a
// private network or a proxy in front may be protection enough, and only the operator knows. Values that contradict
// each other are refused in any case.

export function reportUnsafe(settings: Settings, problems: Problems): void {
  const { listen, admin, auth, cors, insecure } = settings;
  if (!insecure && auth.clients === 'off' && !isLoopback(listen.host)) {
    problems.add(
      'auth.clients',
      null,
      `off, while listen is ${showAddress(listen)}: anyone who reaches it could use the nodes; write auth.clients: required, listen on 127.0.0.1, or start with --insecure`,
    );
  }
  const asksForKeys = auth.clients === 'required' || (auth.clients === 'auto' && !isLoopback(listen.host));
  if (!insecure && cors.origins.includes('*') && !asksForKeys) {
    problems.add(
      'cors.origins',
      null,
      '*, while clients need no keys: any web page that a person here visits could use the nodes; name the origins, such as https://chat.example, write auth.clients: required, or start with --insecure',
    );
  }
  if (!insecure && admin.tls === null && !isLoopback(admin.listen.host)) {
    problems.add(
      'admin.listen',
      null,
      `${showAddress(admin.listen)} can be reached from other machines without TLS, and the admin token would cross the network readable; set admin.tls (cert and key), listen on 127.0.0.1, or start with --insecure`,
    );
  }
  reportUnsafeAgents(settings, problems);
  if (listen.port !== 0 && listen.port === admin.listen.port && listen.host === admin.listen.host) {
    problems.add(
      'admin.listen',
      null,
      `${showAddress(listen)} is the clients' address too; give it another port, such as 9348`,
    );
  }
}

function reportUnsafeAgents({ listen, admin, agents, dataDir, insecure }: Settings, problems: Problems): void {
  if (agents.listen === null) return;
  if (!insecure && agents.tls === null && !isLoopback(agents.listen.host)) {
    problems.add(
      'agents.listen',
      null,
      `${showAddress(agents.listen)} can be reached from other machines without TLS, and registration tokens and prompts would cross the network readable; set agents.tls (cert and key), listen on 127.0.0.1, or start with --insecure`,
    );
  }
  if (agents.timeoutMs < 2 * agents.heartbeatMs) {
    problems.add('agents.timeout', null, 'is below twice agents.heartbeat: one lost heartbeat would take a node out');
  }
  for (const [name, other] of [
    ['the clients', listen],
    ['the administrators', admin.listen],
  ] as const) {
    if (other.port === 0 || other.port !== agents.listen.port || other.host !== agents.listen.host) continue;
    problems.add(
      'agents.listen',
      null,
      `${showAddress(other)} is where ${name} connect; give it another port, such as 9349`,
    );
  }
  const needed = tunnelSocket(dataDir, '').length;
  if (needed > LONGEST_SOCKET_PATH) {
    problems.add(
      'dataDir',
      null,
      `is too long for the sockets of agents' tunnels, by ${needed - LONGEST_SOCKET_PATH} characters; choose a shorter one, or remove agents.listen`,
    );
  }
}

/** What this machine cannot do. */
export function reportUnable({ threads }: Settings, platform: NodeJS.Platform, problems: Problems): void {
  if (threads > 1 && platform !== 'linux') {
    problems.add(
      'threads',
      null,
      `${threads} threads need a system that spreads connections over several listeners of one port, and this is ${platform}, not Linux; write 1, or start several routers behind a TCP load balancer`,
    );
  }
}

/** Settings that work but are probably not meant. */
export function doubtful(settings: Settings, now: number): readonly string[] {
  const warnings: string[] = [];
  if (settings.queue.maxBytes < settings.limits.bodyBytes) {
    warnings.push(
      'queue.maxBytes is below limits.body: a request with a larger body than queue.maxBytes can never wait',
    );
  }
  if (settings.auth.clients === 'off' && settings.auth.keys.length > 0) {
    warnings.push('auth.keys are declared, but auth.clients is off: nobody needs one');
  }
  for (const { label, expiresAt } of settings.auth.keys) {
    if (expiresAt !== null && expiresAt <= now) warnings.push(`the key "${label}" has expired and lets nobody in`);
  }
  return warnings;
}
