import type { Sent } from './rival.ts';

// A router's live books of what it has open on each node, in tokens: prompts whose first token has not come, and contexts held.

export class OpenWork {
  readonly #pending: number[] = [];
  readonly #context: number[] = [];
  readonly #uncached = new Map<Sent, number>();

  /** Uncached prompt tokens sent and not yet answered. */
  pending(node: number): number {
    return this.#pending[node] ?? 0;
  }

  /** Tokens of prompts of all that is open. */
  context(node: number): number {
    return this.#context[node] ?? 0;
  }

  sent(sent: Sent, uncachedTokens: number): void {
    const { node, request } = sent;
    this.#uncached.set(sent, uncachedTokens);
    this.#pending[node] = this.pending(node) + uncachedTokens;
    this.#context[node] = this.context(node) + request.promptTokens;
  }

  firstToken(sent: Sent): void {
    const uncached = this.#uncached.get(sent);
    if (uncached === undefined) return;
    this.#uncached.set(sent, 0);
    this.#pending[sent.node] = this.pending(sent.node) - uncached;
  }

  ended(sent: Sent): void {
    this.firstToken(sent);
    if (this.#uncached.delete(sent)) this.#context[sent.node] = this.context(sent.node) - sent.request.promptTokens;
  }
}
