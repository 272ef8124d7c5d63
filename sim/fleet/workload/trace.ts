import { readFile } from 'node:fs/promises';
import { stream, zipf } from '../random.ts';
import type { Offer, Workload } from './offer.ts';

// Reads the two trace formats that are published most: Mooncake's JSON lines (timestamp ms, lengths, one hash id per
// 512-token block of the prompt) and Azure's CSV as Vidur prepares it (arrived_at s, lengths; no prefixes). Neither has
// callers: sessions are dealt out to `callers` synthetic ones by Zipf's law. Mooncake's timestamps are rounded to 3 s:
// requests of one instant are spread over the gap to the next, or each would be a burst that never was.

const MOONCAKE_BLOCK = 512;

export interface Row {
  readonly atMs: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly blocks: readonly number[];
}

export interface Slice {
  /** Requests to take; all where there are fewer. */
  readonly requests: number;
  readonly callers: number;
  readonly seed: number;
}

/** The rows of the trace in `path`. Throws an Error that names the line that cannot be read. */
export async function readTrace(path: string): Promise<Row[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`--trace ${path}: cannot be read (${error instanceof Error ? error.message : String(error)})`, {
      cause: error,
    });
  }
  return parseTrace(path, text);
}

/** The rows of a trace's text, whichever of the two formats it has. */
export function parseTrace(path: string, text: string): Row[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const [first = ''] = lines;
  if (first.startsWith('{')) return lines.map((line, at) => mooncakeRow(path, line, at + 1));
  const columns = first.split(',').map((name) => name.trim());
  const places = ['arrived_at', 'num_prefill_tokens', 'num_decode_tokens'].map((name) => columns.indexOf(name));
  if (places.includes(-1)) {
    throw new Error(
      `${path}:1: neither JSON lines with timestamp, input_length, output_length, hash_ids nor a CSV with the columns arrived_at, num_prefill_tokens, num_decode_tokens`,
    );
  }
  return lines.slice(1).map((line, at) => azureRow(path, line, at + 2, places));
}

function mooncakeRow(path: string, line: string, number: number): Row {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error(`${path}:${number}: not JSON`);
  }
  const row: Readonly<Record<string, unknown>> = typeof value === 'object' && value !== null ? { ...value } : {};
  const ids: unknown = row['hash_ids'] ?? [];
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'number')) {
    throw new Error(`${path}:${number}: hash_ids is to be a list of numbers`);
  }
  const promptTokens = positive(path, number, 'input_length', row['input_length']);
  return {
    atMs: positive(path, number, 'timestamp', row['timestamp'], 0),
    promptTokens,
    outputTokens: Math.max(1, positive(path, number, 'output_length', row['output_length'], 0)),
    // The last id may stand for a block that is not full.
    blocks: ids.slice(0, Math.floor(promptTokens / MOONCAKE_BLOCK)).map(Number),
  };
}

function azureRow(path: string, line: string, number: number, places: readonly number[]): Row {
  const cells = line.split(',');
  const [at, prompt, output] = places.map((place) => cells[place]?.trim());
  return {
    atMs: positive(path, number, 'arrived_at', at, 0) * 1000,
    promptTokens: positive(path, number, 'num_prefill_tokens', prompt),
    outputTokens: Math.max(1, positive(path, number, 'num_decode_tokens', output, 0)),
    blocks: [],
  };
}

function positive(path: string, line: number, name: string, value: unknown, least = 1): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number) && number >= least) return number;
  throw new Error(`${path}:${line}: ${name} is to be a number of at least ${least}, not ${String(value)}`);
}

/** A stretch of a trace, from a place that the seed chooses. */
export function sliceOf(path: string, rows: readonly Row[], { requests, callers, seed }: Slice): Workload {
  const random = stream(seed, 'trace');
  const ordered = rows.toSorted((a, b) => a.atMs - b.atMs);
  const from = Math.floor(random() * Math.max(0, ordered.length - requests + 1));
  const taken = ordered.slice(from, from + requests);
  const callerOf = zipf(callers, 1.1);
  // The first block is shared by everybody (a system prompt); the second tells chats apart.
  const callerBySession = new Map<number, number>();
  const spread = spreadTimes(
    taken.map(({ atMs }) => atMs),
    random,
  );
  const offers = taken.map((row, at): Offer => {
    const session = row.blocks[1] ?? -1 - at;
    const caller = callerBySession.get(session) ?? callerOf(random);
    callerBySession.set(session, caller);
    const { promptTokens, outputTokens, blocks } = row;
    return {
      atMs: spread[at] ?? row.atMs,
      caller,
      promptTokens,
      outputTokens,
      maxTokens: null,
      blocks,
      answerBlocks: [],
      session,
      isExtra: false,
    };
  });
  return { name: path.split('/').at(-1) ?? path, blockTokens: MOONCAKE_BLOCK, callers, offers };
}

/** Equal times spread at random up to the next other one, in order. */
function spreadTimes(times: readonly number[], random: () => number): number[] {
  const spread: number[] = [];
  for (let from = 0; from < times.length;) {
    const at = times[from] ?? 0;
    let to = from + 1;
    while (to < times.length && times[to] === at) to += 1;
    const gap = to - from === 1 ? 0 : (times[to] ?? at + 1) - at;
    const within = Array.from({ length: to - from }, () => at + random() * gap).toSorted((a, b) => a - b);
    spread.push(...within);
    from = to;
  }
  return spread;
}
