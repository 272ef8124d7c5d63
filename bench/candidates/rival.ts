import { MODEL } from '../far-side/texts.ts';
import type { Absent, Candidate } from './candidate.ts';
import { inRunFolder } from './places.ts';
import { type Command, freePort, spawnPinned } from './spawned.ts';

/** An LLM router of others: how it is installed, and how it is told of the nodes. */
export interface Rival {
  readonly name: string;
  readonly version: string;
  /** Returns what `command` needs: an interpreter or a folder. Throws where it cannot be had. */
  readonly install: () => string;
  readonly command: (
    installed: string,
    port: number,
    nodes: readonly string[],
    folder: string,
    sidePort: number,
  ) => RivalCommand;
}

export interface RivalCommand {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly model?: string;
  readonly patienceMs?: number;
  /** Files it reads, for the report. */
  readonly file?: string;
}

export function rival({ name, version, install, command }: Rival): Candidate | Absent {
  let installed = '';
  try {
    installed = install();
  } catch (error) {
    return { name, absent: error instanceof Error ? error.message : String(error) };
  }
  let configuration = '';
  return {
    name,
    kind: 'router',
    version,
    configuration: () => configuration,
    start: (nodes) =>
      inRunFolder(name, async (path) => {
        const [port, sidePort] = [await freePort(), await freePort()];
        const {
          argv,
          env,
          headers = {},
          model = MODEL,
          patienceMs = 60_000,
          file,
        } = command(installed, port, nodes, path, sidePort);
        const shown = argv.map((word) => (word.startsWith('/') ? word.replace(/^.*\//, '') : word)).join(' ');
        const sent = Object.entries(headers).map(([header, value]) => `${header}: ${value}`);
        configuration = [shown, JSON.stringify(env ?? {}), ...sent, file ?? '']
          .filter((text) => text !== '{}')
          .join('\n');
        const target: Command['target'] = { url: `http://127.0.0.1:${port}`, basePath: '', headers, model };
        return await spawnPinned({ name, argv, folder: path, target, patienceMs, ...(env && { env }) });
      }),
  };
}
