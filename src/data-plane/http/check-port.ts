import { createServer } from 'node:net';
import type { Address } from '../../fleet/settings.ts';

/**
 * Rejects, with the system's error, where the port cannot be had by us alone. Sockets that may share their port with others of this
 * user would share it with another router's too, started by mistake, and each would get half of the requests.
 */
export async function checkPort({ host, port }: Address): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => server.close(() => resolve()));
  });
}
