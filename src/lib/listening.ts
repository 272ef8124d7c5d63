import type { ListenOptions, Server } from 'node:net';

/** Listens; rejects with the system's error (`code` EADDRINUSE, EACCES, …). */
export function startListening(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** The port that a server listens at; 0 where it listens at none, as on a Unix socket. */
export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Host and port as URLs and sentences have them: an IPv6 address in brackets (RFC 3986, 3.2.2). */
export function authority(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
