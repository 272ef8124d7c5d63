import { exponential, gamma, geometric, logNormal, stream, zipf, type Random } from '../random.ts';
import type { Offer, Workload } from './offer.ts';

// Workloads made up by seed, for what the traces do not show: who pays, bursts, and chats that grow. Lengths follow the log-normal fits of
// the Azure and Mooncake traces. Callers send open-loop: nobody slows down because answers are slow, which is what overload is like.
//
//   tenants   20 callers by Zipf's law, one in ten only in bursts
//   chats     conversations whose every turn quotes all before it, behind 20 system prompts
//   agents    short bursts of steps that each add a tool's output to a long prompt, seconds apart
//   batch     tenants, and at a fifth of the run one caller drops a third of all requests at once
//   hog       eleven callers, of whom one sends `hogTimes` as much as each of the others; its excess comes on top of the load
//   mixed     a third each of chats, agents and tenants

export const syntheticWorkloads = ['tenants', 'chats', 'agents', 'batch', 'hog', 'mixed'] as const;
export type SyntheticName = (typeof syntheticWorkloads)[number];

const BLOCK = 64;
const TENANTS = 20;
/** The last of them is the hog. */
const HOG_CALLERS = 11;
/** The stretch of made-up time that a workload fills before it is scaled to a load. */
const SPAN_MS = 600_000;

interface Length {
  readonly mu: number;
  readonly sigma: number;
  readonly most: number;
}

const chatPrompt: Length = { mu: 6.63, sigma: 0.99, most: 16_000 };
const answer: Length = { mu: 5.02, sigma: 0.86, most: 2_000 };
const turn: Length = { mu: 4.5, sigma: 1, most: 4_000 };
const document: Length = { mu: 8.3, sigma: 0.8, most: 32_000 };

export function synthesize(name: SyntheticName, requests: number, seed: number, hogTimes = 10): Workload {
  const maker = new Maker(stream(seed, `workload ${name}`), hogTimes);
  const offers = maker.make(name, requests);
  const callers = Math.max(...offers.map(({ caller }) => caller)) + 1;
  const usual = offers.filter(({ isExtra }) => !isExtra).toSorted((a, b) => a.atMs - b.atMs);
  const extra = offers.filter(({ isExtra }) => isExtra);
  const taken = [...usual.slice(0, requests), ...extra].toSorted((a, b) => a.atMs - b.atMs);
  return { name, blockTokens: BLOCK, callers, offers: taken };
}

class Maker {
  readonly #random: Random;
  readonly #hogTimes: number;
  readonly #tenant = zipf(TENANTS, 1.1);
  #lastBlock = 0;
  #lastSession = 0;
  readonly #systems: readonly (readonly number[])[];

  constructor(random: Random, hogTimes: number) {
    this.#random = random;
    this.#hogTimes = hogTimes;
    this.#systems = Array.from({ length: 20 }, () => this.#freshBlocks(200 + Math.floor(random() * 5_800)));
  }

  make(name: SyntheticName, requests: number): Offer[] {
    switch (name) {
      case 'tenants':
        return this.#tenants(requests);
      case 'chats':
        return this.#conversations(requests, 4, 10_000, turn, chatPrompt);
      case 'agents':
        return this.#conversations(requests, 8, 2_000, { ...turn, mu: 6 }, document);
      case 'batch':
        return this.#batch(requests);
      case 'hog':
        return this.#hog(requests);
      case 'mixed': {
        const third = Math.ceil(requests / 3);
        return [...this.make('chats', third), ...this.make('agents', third), ...this.make('tenants', third)];
      }
      default:
        return name satisfies never;
    }
  }

  #tenants(requests: number): Offer[] {
    const random = this.#random;
    const times = this.#renewals(requests, 0.84);
    return times.map((atMs) => {
      const caller = this.#tenant(random);
      // Every tenth caller sends only 5 s of each minute, then all it has.
      return this.#single(caller % 10 === 9 ? Math.floor(atMs / 60_000) * 60_000 + random() * 5_000 : atMs, caller);
    });
  }

  #batch(requests: number): Offer[] {
    const flood = Math.floor(requests / 3);
    return [
      ...this.#tenants(requests - flood),
      ...Array.from({ length: flood }, () => this.#single(SPAN_MS / 5 + this.#random() * 1_000, TENANTS)),
    ];
  }

  #hog(requests: number): Offer[] {
    const times = this.#renewals(requests, 1);
    const usual = times.map((atMs, nth) => this.#single(atMs, nth % HOG_CALLERS));
    // Made after all others, so that those are the same whatever the hog sends.
    const lastMs = times.at(-1) ?? 0;
    const excess = Math.round((requests / HOG_CALLERS) * (this.#hogTimes - 1));
    const extra = Array.from({ length: excess }, () => this.#single(this.#random() * lastMs, HOG_CALLERS - 1));
    return [...usual, ...extra.map((offer) => Object.assign(offer, { isExtra: true }))];
  }

  #single(atMs: number, caller: number): Offer {
    this.#lastSession += 1;
    const system = this.#systems[caller % this.#systems.length] ?? [];
    const asked = this.#draw(chatPrompt);
    const blocks = [...system, ...this.#freshBlocks(asked)];
    const promptTokens = system.length * BLOCK + asked;
    return this.#offer(atMs, caller, promptTokens, this.#draw(answer), blocks, this.#lastSession);
  }

  /** Conversations of `turns` turns in the mean, each turn quoting all before it; the last third of `requests` may fall off. */
  #conversations(requests: number, turns: number, thinkMs: number, add: Length, opening: Length): Offer[] {
    const random = this.#random;
    const offers: Offer[] = [];
    while (offers.length < requests) {
      this.#lastSession += 1;
      const session = this.#lastSession;
      const caller = this.#tenant(random);
      let blocks = this.#systems[Math.floor(random() ** 2 * this.#systems.length)] ?? [];
      let tokens = blocks.length * BLOCK + this.#draw(opening);
      let atMs = random() * SPAN_MS;
      for (let left = geometric(random, turns); left > 0; left--) {
        blocks = blocks.concat(this.#freshBlocks(tokens - blocks.length * BLOCK));
        const outputTokens = this.#draw(answer);
        const offer = this.#offer(atMs, caller, tokens, outputTokens, blocks, session);
        offers.push(offer);
        blocks = blocks.concat(offer.answerBlocks);
        tokens += outputTokens + this.#draw(add);
        // The answer takes a while to come and to be read.
        atMs += outputTokens * 30 + exponential(random, thinkMs);
      }
    }
    return offers;
  }

  #offer(
    atMs: number,
    caller: number,
    promptTokens: number,
    outputTokens: number,
    blocks: readonly number[],
    session: number,
  ): Offer {
    const answerBlocks = this.#freshBlocks(promptTokens + outputTokens - blocks.length * BLOCK);
    const maxTokens = this.#random() < 0.5 ? null : 2 ** Math.ceil(Math.log2(outputTokens + 1)) * 2;
    return { atMs, caller, promptTokens, outputTokens, maxTokens, blocks, answerBlocks, session, isExtra: false };
  }

  #renewals(count: number, shape: number): number[] {
    let atMs = 0;
    return Array.from({ length: count }, () => (atMs += gamma(this.#random, shape, SPAN_MS / count)));
  }

  #draw({ mu, sigma, most }: Length): number {
    return Math.max(4, Math.min(most, Math.round(logNormal(this.#random, mu, sigma))));
  }

  #freshBlocks(tokens: number): number[] {
    return Array.from({ length: Math.max(0, Math.floor(tokens / BLOCK)) }, () => (this.#lastBlock += 1));
  }
}
