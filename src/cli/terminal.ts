import { setTimeout as delay } from 'node:timers/promises';

// What the command line needs of the terminal it runs in, as values that a test can give.

export interface Terminal {
  /** Standard output is a terminal: frames may be redrawn in place. */
  readonly isTty: boolean;
  /** Standard error is one: progress may be drawn there. */
  readonly isErrorTty: boolean;
  size(): { readonly columns: number; readonly rows: number };
  /** Calls back for each key pressed, without waiting for a line; the returned function ends that. Nothing where there is no keyboard. */
  onKey(listener: (key: string) => void): () => void;
  /** Ref'd, unlike a clock's timers: the process waits for it. Ends early without an error when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  return {
    isTty: stdout.isTTY,
    isErrorTty: stderr.isTTY,
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    onKey: (listener) => {
      if (!stdin.isTTY) return () => undefined;
      const onData = (chunk: Buffer): void => listener(chunk.toString('utf8'));
      stdin.setRawMode(true);
      stdin.on('data', onData);
      stdin.resume();
      return () => {
        stdin.off('data', onData);
        stdin.setRawMode(false);
        stdin.pause();
      };
    },
    sleep: async (ms, signal) => {
      try {
        await delay(ms, undefined, signal ? { signal } : {});
      } catch (error) {
        if (signal?.aborted !== true) throw error;
      }
    },
  };
}
