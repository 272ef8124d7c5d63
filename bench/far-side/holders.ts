import { Asker } from './asker.ts';
import { served } from './checks.ts';
import { Connections } from './client-connection.ts';
import { addressOf, CHAT, type Target } from './target.ts';
import { requestText } from './texts.ts';

/** Requests that stay: they hold slots or places in the waiting room until released. */
export class Holders {
  readonly #askers: Asker[];
  /** Requests that were answered or broken while they should have been held. */
  lost = 0;

  constructor(target: Target, count: number) {
    const path = target.basePath + CHAT;
    const text = requestText(new URL(target.url).host, target.headers, target.model, path, false, 1024);
    const shared = new Connections();
    this.#askers = Array.from(
      { length: count },
      () =>
        new Asker(addressOf(target), shared, text, served, () => {
          this.lost += 1;
        }),
    );
    for (const [number, asker] of this.#askers.entries()) asker.ask(number + 1);
  }

  release(): void {
    for (const asker of this.#askers) asker.destroy();
  }
}
