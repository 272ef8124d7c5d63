import { randomFillSync } from 'node:crypto';

// UUID version 7 (RFC 9562, section 5.7): 48 bits of epoch milliseconds, then random bits, so that ids sort by time.
// Random bytes are drawn in blocks: one system call per 256 ids instead of one per id.

const BLOCK = 256;
const RANDOM_BYTES = 10;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Returns a source of UUIDv7 strings; `wall` gives epoch milliseconds. */
export function uuid7Source(wall: () => number): () => string {
  const random = new Uint8Array(BLOCK * RANDOM_BYTES);
  let used = random.length;
  const hex = (at: number): string => HEX[random[at] ?? 0] ?? '00';
  return () => {
    if (used >= random.length) {
      randomFillSync(random);
      used = 0;
    }
    const time = Math.floor(wall()).toString(16).padStart(12, '0');
    const r = used;
    used += RANDOM_BYTES;
    const version = HEX[0x70 | ((random[r] ?? 0) & 0x0f)] ?? '70';
    const variant = HEX[0x80 | ((random[r + 2] ?? 0) & 0x3f)] ?? '80';
    return (
      `${time.slice(0, 8)}-${time.slice(8)}-${version}${hex(r + 1)}-${variant}${hex(r + 3)}-` +
      `${hex(r + 4)}${hex(r + 5)}${hex(r + 6)}${hex(r + 7)}${hex(r + 8)}${hex(r + 9)}`
    );
  };
}

/** The start that every UUIDv7 made from that moment on sorts after, and every earlier one before. `wall` in epoch milliseconds. */
export function uuid7From(wall: number): string {
  const time = Math.max(0, Math.floor(wall)).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}`;
}
