// What a row of the seed table is.

export interface SeedRow {
  readonly task: string;
  readonly asks: string;
  /** Empty where the task belongs to a later issue; then `later` says which. */
  readonly proofs: readonly Proof[];
  /** What of the task is not there yet, and where it belongs. */
  readonly later?: string;
}

/** One line of code that a test must guard. */
export interface Proof {
  readonly file: string;
  readonly testFile: string;
  /** The name of a top-level test in `testFile`. */
  readonly testName: string;
  readonly mutation: Mutation;
}

export interface Mutation {
  /** Occurs exactly once in the file, on one line. */
  readonly find: string;
  readonly replace: string;
}
