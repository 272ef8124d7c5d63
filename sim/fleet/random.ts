// Reproducible chance. Every use forks a stream of its own by name, so that a policy which draws more often than another does
// not change the arrivals: runs with one seed stay paired.

/** Uniform in [0, 1). */
export type Random = () => number;

/** The same numbers for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** A stream of its own for each name under one seed. */
export function stream(seed: number, name: string): Random {
  return seeded(hashOf(`${seed}:${name}`));
}

/** FNV-1a with a finaliser: 32 well-spread bits of a text. */
export function hashOf(text: string): number {
  let h = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export function exponential(random: Random, mean: number): number {
  return -Math.log(1 - random()) * mean;
}

/** Standard normal (Box and Muller). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export function logNormal(random: Random, mu: number, sigma: number): number {
  return Math.exp(mu + sigma * normal(random));
}

/** Gamma with the given shape and mean (Marsaglia and Tsang 2000; shapes below 1 by Stuart's boost). */
export function gamma(random: Random, shape: number, mean: number): number {
  const boost = shape < 1 ? (1 - random()) ** (1 / shape) : 1;
  const d = (shape < 1 ? shape + 1 : shape) - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) {
      return (d * v * boost * mean) / shape;
    }
  }
}

/** At least 1; the mean number of trials until a success of probability 1/mean. */
export function geometric(random: Random, mean: number): number {
  if (mean <= 1) return 1;
  return 1 + Math.floor(Math.log(1 - random()) / Math.log(1 - 1 / mean));
}

/** Draws 0 to count-1, the nth with a weight of 1/(n+1)^power. */
export function zipf(count: number, power: number): (random: Random) => number {
  const upTo: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= count; rank++) {
    sum += rank ** -power;
    upTo.push(sum);
  }
  return (random) => {
    const mark = random() * sum;
    const at = upTo.findIndex((edge) => edge > mark);
    return at < 0 ? count - 1 : at;
  };
}
