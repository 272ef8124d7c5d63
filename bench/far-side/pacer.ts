// Does one thing per turn of the event loop while more are due, and else looks again after a millisecond. Doing all that is due in one go
// would send bursts no real clients or nodes send, and read nothing meanwhile: the harness would measure its own queue.

const LOOK_MS = 1;

export class Pacer {
  readonly #turn: () => boolean;
  readonly #isOver: () => boolean;
  #isRunning = false;

  /** `turn` does what is due and returns whether it did anything; it is called until `isOver`, and then after `wake`. */
  constructor(turn: () => boolean, isOver: () => boolean) {
    this.#turn = turn;
    this.#isOver = isOver;
  }

  wake(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#next();
  }

  readonly #next = (): void => {
    const did = this.#turn();
    if (this.#isOver()) this.#isRunning = false;
    else if (did) setImmediate(this.#next);
    else setTimeout(this.#next, LOOK_MS);
  };
}
