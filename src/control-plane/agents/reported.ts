import type { AgentBeat } from '../../fleet/agent-words.ts';

// What the agents told last, in memory only: after a restart of this plane each tells it again within a heartbeat. Of a log the newest
// lines are kept, so much per node that a large fleet's logs stay small.

const MOST_LINES = 1000;
const MOST_CHARACTERS = 128 * 1024;

export interface ReportedLog {
  /** Oldest first. */
  readonly lines: readonly string[];
  /** Older lines were let go. */
  readonly isCut: boolean;
}

interface Kept {
  beat: AgentBeat;
  log: { lines: string[]; characters: number; isCut: boolean } | null;
}

export class Reported {
  readonly #kept = new Map<string, Kept>();

  take(nodeId: string, beat: AgentBeat): void {
    const kept = this.#kept.get(nodeId) ?? { beat, log: null };
    kept.beat = { ...beat, log: null };
    this.#kept.set(nodeId, kept);
    if (beat.log === null) return;
    kept.log ??= { lines: [], characters: 0, isCut: false };
    const { log } = kept;
    log.lines.push(...beat.log);
    log.characters += beat.log.reduce((sum, line) => sum + line.length, 0);
    while (log.lines.length > MOST_LINES || log.characters > MOST_CHARACTERS) {
      log.characters -= log.lines.shift()?.length ?? 0;
      log.isCut = true;
    }
  }

  /** Null: nothing yet. */
  of(nodeId: string): AgentBeat | null {
    return this.#kept.get(nodeId)?.beat ?? null;
  }

  /** Null: its agent offers none. */
  logOf(nodeId: string): ReportedLog | null {
    return this.#kept.get(nodeId)?.log ?? null;
  }

  forget(nodeId: string): void {
    this.#kept.delete(nodeId);
  }
}
