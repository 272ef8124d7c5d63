import type { ErrorCode } from './errors.ts';
import type { Dialect } from './glossary.ts';
import type { AttemptEnd, AttemptRecord, Outcome, Settlement, Usage } from './settlement.ts';

// Settlements as they cross from thread to thread. As plain objects each would carry its 23 field names and a copy of every word with
// it, and the thread that takes them would make a new string of each. Here numbers lie in one array of doubles, one after
// another in a fixed order, and words are told once per batch. A missing number is NaN; a missing word has index -1.

export interface SettlementBatch {
  readonly numbers: Float64Array;
  /** As many as there are settlements, in their order. */
  readonly ids: readonly string[];
  readonly texts: readonly string[];
  readonly dialects: readonly Dialect[];
  readonly outcomes: readonly Outcome[];
  readonly codes: readonly ErrorCode[];
  readonly ends: readonly AttemptEnd[];
}

const PER_SETTLEMENT = 21;
const PER_ATTEMPT = 7;
const OFFERED = 1;
const STREAM = 2;
const USAGE = 4;
const ESTIMATED = 8;

/** Words in the order of their first use. */
class Words<T extends string> {
  readonly list: T[] = [];
  readonly #known = new Map<T, number>();

  indexOf(word: T | null): number {
    if (word === null) return -1;
    const known = this.#known.get(word);
    if (known !== undefined) return known;
    this.#known.set(word, this.list.length);
    return this.list.push(word) - 1;
  }

  /** For words that hardly ever come twice. */
  append(word: T | null): number {
    return word === null ? -1 : this.list.push(word) - 1;
  }
}

/** For `postMessage`. */
export function packSettlements(settlements: readonly Settlement[]): SettlementBatch {
  let size = 0;
  for (const { attempts } of settlements) size += PER_SETTLEMENT + PER_ATTEMPT * attempts.length;
  const numbers = new Float64Array(size);
  const ids: string[] = [];
  const texts = new Words<string>();
  const dialects = new Words<Dialect>();
  const outcomes = new Words<Outcome>();
  const codes = new Words<ErrorCode>();
  const ends = new Words<AttemptEnd>();
  let n = 0;
  for (const settlement of settlements) {
    const { usage, attempts } = settlement;
    ids.push(settlement.id);
    numbers[n] = texts.append(settlement.clientRequestId);
    numbers[n + 1] = texts.append(settlement.traceparent);
    numbers[n + 2] = settlement.arrivedAt;
    numbers[n + 3] = dialects.indexOf(settlement.dialect);
    numbers[n + 4] = texts.indexOf(settlement.path);
    numbers[n + 5] = texts.indexOf(settlement.model);
    numbers[n + 6] = texts.indexOf(settlement.keyId);
    numbers[n + 7] = texts.indexOf(settlement.address);
    numbers[n + 8] = flags(settlement);
    numbers[n + 9] = outcomes.indexOf(settlement.outcome);
    numbers[n + 10] = settlement.status;
    numbers[n + 11] = codes.indexOf(settlement.code);
    numbers[n + 12] = settlement.waitMs ?? NaN;
    numbers[n + 13] = settlement.firstByteMs ?? NaN;
    numbers[n + 14] = settlement.durationMs;
    numbers[n + 15] = settlement.requestBytes;
    numbers[n + 16] = settlement.responseBytes;
    numbers[n + 17] = usage?.promptTokens ?? NaN;
    numbers[n + 18] = usage?.completionTokens ?? NaN;
    numbers[n + 19] = usage?.cachedTokens ?? NaN;
    numbers[n + 20] = attempts.length;
    n += PER_SETTLEMENT;
    for (const attempt of attempts) {
      numbers[n] = texts.indexOf(attempt.nodeId);
      numbers[n + 1] = texts.indexOf(attempt.nodeName);
      numbers[n + 2] = attempt.startedAfterMs;
      numbers[n + 3] = attempt.durationMs;
      numbers[n + 4] = attempt.status ?? NaN;
      numbers[n + 5] = ends.indexOf(attempt.end);
      numbers[n + 6] = texts.indexOf(attempt.model);
      n += PER_ATTEMPT;
    }
  }
  return {
    numbers,
    ids,
    texts: texts.list,
    dialects: dialects.list,
    outcomes: outcomes.list,
    codes: codes.list,
    ends: ends.list,
  };
}

/** What was packed. Throws `RangeError` where the batch is damaged. */
export function unpackSettlements(batch: SettlementBatch): Settlement[] {
  const { numbers, texts } = batch;
  let n = 0;
  return batch.ids.map((id): Settlement => {
    const at = n;
    const told = number(numbers[at + 8]);
    const attempts: AttemptRecord[] = [];
    n += PER_SETTLEMENT;
    for (let left = number(numbers[at + 20]); left > 0; left -= 1) {
      attempts.push({
        nodeId: wordAt(texts, numbers[n]),
        nodeName: wordAt(texts, numbers[n + 1]),
        startedAfterMs: number(numbers[n + 2]),
        durationMs: number(numbers[n + 3]),
        status: numberOrNull(numbers[n + 4]),
        end: wordAt(batch.ends, numbers[n + 5]),
        model: wordOrNull(texts, numbers[n + 6]),
      });
      n += PER_ATTEMPT;
    }
    return {
      id,
      clientRequestId: wordOrNull(texts, numbers[at]),
      traceparent: wordOrNull(texts, numbers[at + 1]),
      arrivedAt: number(numbers[at + 2]),
      dialect: wordAt(batch.dialects, numbers[at + 3]),
      path: wordAt(texts, numbers[at + 4]),
      model: wordOrNull(texts, numbers[at + 5]),
      modelOffered: (told & OFFERED) !== 0,
      keyId: wordOrNull(texts, numbers[at + 6]),
      address: wordOrNull(texts, numbers[at + 7]),
      stream: (told & STREAM) !== 0,
      outcome: wordAt(batch.outcomes, numbers[at + 9]),
      status: number(numbers[at + 10]),
      code: wordOrNull(batch.codes, numbers[at + 11]),
      waitMs: numberOrNull(numbers[at + 12]),
      firstByteMs: numberOrNull(numbers[at + 13]),
      durationMs: number(numbers[at + 14]),
      requestBytes: number(numbers[at + 15]),
      responseBytes: number(numbers[at + 16]),
      usage: (told & USAGE) === 0 ? null : usageAt(numbers, at + 17, (told & ESTIMATED) !== 0),
      attempts,
    };
  });
}

function flags({ modelOffered, stream, usage }: Settlement): number {
  return (
    (modelOffered ? OFFERED : 0) | (stream ? STREAM : 0) | (usage ? USAGE : 0) | (usage?.estimated ? ESTIMATED : 0)
  );
}

function usageAt(numbers: Float64Array, at: number, estimated: boolean): Usage {
  return {
    promptTokens: numberOrNull(numbers[at]),
    completionTokens: numberOrNull(numbers[at + 1]),
    cachedTokens: numberOrNull(numbers[at + 2]),
    estimated,
  };
}

function wordAt<T extends string>(words: readonly T[], index: number | undefined): T {
  const found = words[index ?? -1];
  if (found === undefined) throw new RangeError(`a batch of settlements lacks word ${index} of ${words.length}`);
  return found;
}

function wordOrNull<T extends string>(words: readonly T[], index: number | undefined): T | null {
  return index === -1 ? null : wordAt(words, index);
}

function number(value: number | undefined): number {
  if (value === undefined) throw new RangeError('a batch of settlements ends too soon');
  return value;
}

function numberOrNull(value: number | undefined): number | null {
  const told = number(value);
  return Number.isNaN(told) ? null : told;
}
