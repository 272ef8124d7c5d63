import { z } from 'zod';
import type { Method } from '../call.ts';

// How an endpoint of the admin API is described. The descriptions beside this file are the one place that says what each takes and
// answers: input is validated by their schemas, /api/openapi.json is made of them, the command line's client takes its types from
// them and checks answers by them, and a test holds them against every route there is and against answers of a running router.
// They are loaded only when one of these needs them: zod is a sixth of an idle control plane's memory.

/** As in the table of routes: `GET /api/nodes/:id`. */
export type EndpointName = `${Method} /${string}`;

export interface Endpoint {
  /** The group it is shown in. */
  readonly tag: 'nodes' | 'models' | 'tasks' | 'keys' | 'tokens' | 'requests' | 'router';
  /** One line. */
  readonly summary: string;
  readonly description?: string;
  /** What each `:parameter` of the path stands for. */
  readonly params?: Readonly<Record<string, string>>;
  /** Of the query, all as text. */
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Of a success; the same `answer` comes with each. */
  readonly status: readonly number[];
  /** Null: no body. */
  readonly answer: z.ZodType | null;
  /** What each server-sent event of the answer with follow=1 holds. */
  readonly event?: z.ZodType;
  /** Where the answer is not JSON. */
  readonly contentType?: string;
  /** Statuses of refusals besides 401, which all have, and 400, which those with input have. */
  readonly refusals?: readonly number[];
}

export type Endpoints = Readonly<Record<EndpointName, Endpoint>>;

/** The form of every list. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.object({ data: z.array(item) });
}

/** Epoch milliseconds. */
export const epochMs = z.int().meta({ description: 'epoch milliseconds' });
