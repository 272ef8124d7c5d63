import { createHash } from 'node:crypto';
import { join } from 'node:path';

// Where the router's end of a node's tunnel listens: a Unix socket in the data directory, which is open to nobody else. Short,
// because the system takes about a hundred bytes for the whole path; the same for a node after every restart.

/** What all systems take (104 bytes with the closing zero on macOS, 108 on Linux). */
export const LONGEST_SOCKET_PATH = 103;

/** The directory of all of them, mode 0700. */
export function tunnelDirectory(dataDir: string): string {
  return join(dataDir, 'tunnels');
}

export function tunnelSocket(dataDir: string, nodeId: string): string {
  const name = createHash('sha256').update(nodeId).digest('hex').slice(0, 16);
  return join(tunnelDirectory(dataDir), `${name}.sock`);
}
