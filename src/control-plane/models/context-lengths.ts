import { ExchangeError } from '../../http-client/exchange.ts';
import type { Clock } from '../../lib/clock.ts';
import { countField, field, textField } from '../json.ts';
import type { NodeCall } from './node-call.ts';

// The longest context of models whose list does not say it: Ollama tells it only where each model is shown. A digest names the same
// files everywhere, so one answer is good for the whole fleet and for ever; asked is only when somebody looks, and what was not
// answered is not asked again for a while.

const KEPT = 2000;
const AT_ONCE = 4;
const ASKED_WITHIN_MS = 2000;
const AGAIN_AFTER_MS = 60_000;

export interface Unknown {
  readonly name: string;
  readonly digest: string;
}

export class ContextLengths {
  readonly #clock: Clock;
  readonly #known = new Map<string, number>();
  /** Digest → monotonic ms of the question. */
  readonly #asked = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** In tokens; null: not known. */
  of(digest: string | undefined): number | null {
    return (digest === undefined ? undefined : this.#known.get(digest)) ?? null;
  }

  /** Asks a node for those that nobody has told yet. Never rejects for anything it does. */
  async learn(call: NodeCall, models: readonly Unknown[]): Promise<void> {
    const now = this.#clock.now();
    const open = models.filter(({ digest }) => {
      return !this.#known.has(digest) && now - (this.#asked.get(digest) ?? -Infinity) >= AGAIN_AFTER_MS;
    });
    if (this.#known.size > KEPT) this.#known.clear();
    if (this.#asked.size > KEPT) this.#asked.clear();
    for (const { digest } of open) this.#asked.set(digest, now);
    const waiting = [...open];
    const lane = async (): Promise<void> => {
      for (let model = waiting.shift(); model; model = waiting.shift()) await this.#ask(call, model);
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, open.length) }, lane));
  }

  async #ask(call: NodeCall, { name, digest }: Unknown): Promise<void> {
    try {
      const { status, json } = await call.ask('POST', '/api/show', { model: name, name }, ASKED_WITHIN_MS);
      const facts = status === 200 ? field(json, 'model_info') : undefined;
      const tokens = countField(facts, `${textField(facts, 'general.architecture') ?? ''}.context_length`);
      if (tokens !== null) this.#known.set(digest, tokens);
    } catch (error) {
      if (!(error instanceof ExchangeError)) throw error;
    }
  }
}
