import type { Target } from '../http-client/exchange.ts';

/** What it takes to ask a node for something: where it is, and what goes with every request to it. */
export interface NodeAccess {
  readonly target: Target;
  /** Without a trailing slash; empty for none. */
  readonly basePath: string;
  /** Name, value, name, value, … */
  readonly headers: readonly string[];
}
