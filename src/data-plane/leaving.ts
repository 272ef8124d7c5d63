/**
 * Says that a request is over before its answer is: the client left, or the router gave it up. What an AbortSignal is
 * elsewhere, for one listener at a time (the rung the request is on), since it is listened to several times in every request.
 */
export class Leaving {
  #hasLeft = false;
  #listener: (() => void) | null = null;

  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** Tells the rung under way, once. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    const listener = this.#listener;
    this.#listener = null;
    listener?.();
  }

  /** Who is told from now on, in place of whoever was; null for nobody. Does not call back where it has happened already. */
  tell(listener: (() => void) | null): void {
    this.#listener = listener;
  }
}
