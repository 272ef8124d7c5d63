import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODEL } from '../far-side/texts.ts';
import type { Absent, Candidate, Scene } from './candidate.ts';
import { inRunFolder } from './places.ts';
import { freePort, spawnPinned } from './spawned.ts';

// HAProxy as a plain reverse proxy, the other C yardstick: one thread, leastconn, connections to the nodes reused, HTTP log lines to its
// standard output, which goes to a file. It parses no body.

function configurationOf(port: number, nodes: readonly string[], { refuses }: Scene): string {
  const servers = nodes.map((url, n) => `  server node${n} ${new URL(url).host}`).join('\n');
  const body = '{"error":{"message":"busy","type":"overloaded_error","code":"capacity_exceeded"}}';
  const serving = refuses
    ? `  http-request return status 503 content-type application/json string '${body}' hdr retry-after 5`
    : `  balance leastconn\n  http-reuse safe\n${servers}`;
  return `global
  nbthread 1
  maxconn 9000
  log stdout format raw local0 info
defaults
  mode http
  log global
  option httplog
  option http-no-delay
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  timeout http-keep-alive 60s
frontend clients
  bind 127.0.0.1:${port} backlog 4096
  default_backend nodes
backend nodes
${serving}
`;
}

/** Debian's HAProxy. */
export function haproxy(): Candidate | Absent {
  let version = '';
  try {
    version = execFileSync('haproxy', ['-v'], { encoding: 'utf8' }).split('\n')[0]?.split(' ')[2] ?? '';
  } catch {
    return { name: 'haproxy', absent: 'not installed; apt-get install haproxy' };
  }
  let configuration = '';
  return {
    name: 'haproxy',
    kind: 'proxy',
    version,
    configuration: () => configuration,
    start: (nodes, scene) =>
      inRunFolder('haproxy', async (path) => {
        const port = await freePort();
        const file = join(path, 'haproxy.cfg');
        configuration = configurationOf(port, nodes, scene);
        writeFileSync(file, configuration);
        return await spawnPinned({
          name: 'haproxy',
          argv: ['haproxy', '-db', '-f', file],
          folder: path,
          target: { url: `http://127.0.0.1:${port}`, basePath: '', headers: {}, model: MODEL },
          ready: scene.refuses ? 503 : 200,
        });
      }),
  };
}
