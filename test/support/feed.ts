import assert from 'node:assert/strict';
import { formEnd } from './form-text.ts';
import type { RawClient } from './raw-client.ts';
import { until } from './until.ts';

// A client with a long file, which sends on only as it is read.

const PIECE = Buffer.alloc(1024 * 1024, 's');

export interface Feed {
  /** How many MB were taken. */
  readonly taken: () => number;
  /** Resolves when nothing more is; rejects where all was. */
  readonly stuck: () => Promise<void>;
}

/** Sends so many MB of a form's last part, one when the one before was taken, and the form's end. */
export function feed({ socket }: RawClient, megabytes: number): Feed {
  let taken = -1;
  const next = (): void => {
    taken += 1;
    if (taken < megabytes) socket.write(PIECE, next);
    else socket.write(formEnd);
  };
  next();
  return {
    taken: () => taken,
    stuck: async () => {
      let last = -1;
      let times = 0;
      const isStuck = (): boolean => {
        times = taken === last ? times + 1 : 0;
        last = taken;
        return times > 20;
      };
      await until(isStuck, { what: 'the client to be held back' });
      assert.ok(taken < megabytes, 'nothing held the client back');
    },
  };
}
