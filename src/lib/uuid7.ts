import { randomFillSync } from 'node:crypto';

// UUID version 7 (RFC 9562, section 5.7): 48 bits of epoch milliseconds, then random bits, so that ids sort by time.
// Random bits are drawn, and written as hex, in blocks: one system call per 256 ids instead of one per id.

const BLOCK = 256;
const RANDOM_BYTES = 10;
const HEX_PER_ID = RANDOM_BYTES * 2;
/** By a random hex digit: the variant's two bits before two of the digit's. */
const VARIANTS = new Map(Array.from('0123456789abcdef', (digit, value) => [digit, '89ab'.charAt(value & 3)]));

/** Returns a source of UUIDv7 strings; `wall` gives epoch milliseconds. */
export function uuid7Source(wall: () => number): () => string {
  const random = Buffer.alloc(BLOCK * RANDOM_BYTES);
  let hex = '';
  let used = 0;
  let lastWall = -1;
  let start = '';
  return () => {
    if (used >= hex.length) {
      hex = randomFillSync(random).toString('hex');
      used = 0;
    }
    const now = wall();
    if (now !== lastWall) {
      lastWall = now;
      start = `${uuid7From(now)}-7`;
    }
    const at = used;
    used += HEX_PER_ID;
    const variant = VARIANTS.get(hex.charAt(at + 3)) ?? '8';
    return `${start}${hex.slice(at, at + 3)}-${variant}${hex.slice(at + 4, at + 7)}-${hex.slice(at + 7, at + 19)}`;
  };
}

/** The start that every UUIDv7 made from that moment on sorts after, and every earlier one before. `wall` in epoch milliseconds. */
export function uuid7From(wall: number): string {
  const time = Math.max(0, Math.floor(wall)).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}`;
}
