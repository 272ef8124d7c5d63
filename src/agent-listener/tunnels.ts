import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { tunnelDirectory, tunnelSocket } from '../fleet/tunnel-socket.ts';
import type { Clock } from '../lib/clock.ts';
import { startListening } from '../lib/listening.ts';
import { type NearEnd, openNearEnd } from '../tunnel/near-end.ts';

// The open tunnels, one per node, and the Unix sockets at which the router dials their nodes. A second tunnel of a node takes the place
// of the first behind the same socket: its agent dialled anew, and what it left behind is a line that nobody has noticed to be
// dead. A server that is closed takes its path away, so a node never has two.

export interface TunnelsOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  /** A node's tunnel was opened, or the last one it had is gone. */
  readonly onChange: (nodeId: string, isOpen: boolean) => void;
}

interface Door {
  near: NearEnd;
  readonly server: Server;
}

export class Tunnels {
  readonly #options: TunnelsOptions;
  readonly #doors = new Map<string, Door>();

  constructor(options: TunnelsOptions) {
    this.#options = options;
  }

  /** Opens one over a socket; rejects where its Unix socket cannot be made, with the tunnel ended. */
  async open(nodeId: string, socket: Duplex): Promise<void> {
    const { clock, onChange } = this.#options;
    const near: NearEnd = openNearEnd({ socket, clock, onEnd: () => this.#ended(nodeId, near) });
    const known = this.#doors.get(nodeId);
    if (known) {
      const former = known.near;
      known.near = near;
      former.close();
    } else {
      const door: Door = { near, server: createServer({ noDelay: true }, (local) => door.near.carry(local)) };
      this.#doors.set(nodeId, door);
      try {
        await this.#listen(nodeId, door.server);
      } catch (error) {
        this.#doors.delete(nodeId);
        door.near.close();
        throw error;
      }
      if (this.#doors.get(nodeId) !== door) return;
    }
    onChange(nodeId, true);
  }

  end(nodeIds: readonly string[]): void {
    for (const nodeId of nodeIds) this.#doors.get(nodeId)?.near.close();
  }

  /** Tells of every open one. */
  tell(): void {
    for (const nodeId of this.#doors.keys()) this.#options.onChange(nodeId, true);
  }

  endAll(): void {
    this.end([...this.#doors.keys()]);
  }

  #ended(nodeId: string, near: NearEnd): void {
    const door = this.#doors.get(nodeId);
    if (door?.near !== near) return;
    this.#doors.delete(nodeId);
    door.server.close();
    this.#options.onChange(nodeId, false);
  }

  #listen(nodeId: string, server: Server): Promise<void> {
    const directory = tunnelDirectory(this.#options.dataDir);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chmodSync(directory, 0o700);
    const path = tunnelSocket(this.#options.dataDir, nodeId);
    // Of a router that was killed.
    rmSync(path, { force: true });
    return startListening(server, { path });
  }
}
