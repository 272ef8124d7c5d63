import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODEL } from '../far-side/texts.ts';
import type { Absent, Candidate, Scene } from './candidate.ts';
import { inRunFolder } from './places.ts';
import { freePort, spawnPinned } from './spawned.ts';

// nginx as a plain reverse proxy, the C yardstick: keep-alive towards clients and nodes with as many idle connections as Weir keeps by
// default, least_conn, access log on, and no buffering of answers so that streams flow. It parses no body.

const IDLE_PER_NODE = 32;

function configurationOf(port: number, nodes: readonly string[], folder: string, { refuses }: Scene): string {
  const servers = nodes.map((url) => `    server ${new URL(url).host};`).join('\n');
  const body = '{"error":{"message":"busy","type":"overloaded_error","code":"capacity_exceeded"}}';
  const location = refuses
    ? `add_header Retry-After 5 always;\n      default_type application/json;\n      return 503 '${body}';`
    : `proxy_pass http://nodes;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_buffering off;
      proxy_read_timeout 300s;`;
  return `daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 16384; }
http {
  access_log ${folder}/access.log;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_max_body_size 32m;
  client_body_buffer_size 64k;
  keepalive_timeout 75s;
  keepalive_requests 10000000;
  upstream nodes {
    least_conn;
${servers}
    keepalive ${IDLE_PER_NODE * nodes.length};
    keepalive_requests 10000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      ${location}
    }
  }
}
`;
}

/** Debian's nginx. */
export function nginx(): Candidate | Absent {
  let version = '';
  try {
    version = execFileSync('sh', ['-c', 'nginx -v 2>&1'], { encoding: 'utf8' }).trim().replace('nginx version: ', '');
  } catch {
    return { name: 'nginx', absent: 'not installed; apt-get install nginx-light' };
  }
  let configuration = '';
  return {
    name: 'nginx',
    kind: 'proxy',
    version,
    configuration: () => configuration,
    start: (nodes, scene) =>
      inRunFolder('nginx', async (path) => {
        const port = await freePort();
        mkdirSync(join(path, 'body'));
        const file = join(path, 'nginx.conf');
        configuration = configurationOf(port, nodes, path, scene);
        writeFileSync(file, configuration);
        return await spawnPinned({
          name: 'nginx',
          argv: ['nginx', '-p', path, '-c', file, '-e', join(path, 'error.log')],
          folder: path,
          target: { url: `http://127.0.0.1:${port}`, basePath: '', headers: {}, model: MODEL },
          ready: scene.refuses ? 503 : 200,
        });
      }),
  };
}
