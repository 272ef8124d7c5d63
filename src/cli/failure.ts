// Exit codes of the command line, the same for all commands and documented in docs/command-line.md, so that scripts can tell a router that
// is not there from one that says no. A command that cannot go on throws a `Failure`; `run` prints its message and ends with its code.

export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  unauthorized: 4,
  notFound: 5,
  /** By Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends a command; the message says what to do, and is empty where all was said. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: ExitCode;

  constructor(code: ExitCode, message: string) {
    super(message);
    this.code = code;
  }
}
