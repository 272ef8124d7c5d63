/** A well-spread unsigned 32-bit number from two others (the finaliser of MurmurHash3): a random order without a shuffle. */
export function mix(draw: number, index: number): number {
  let h = (draw ^ Math.imul(index + 1, 0x9e3779b1)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
