import type { Settlement } from '../../fleet/settlement.ts';

// A request's line in the log, in the form of pino's other lines. It is put together by hand: its fields are always the same, and
// what a general writer does for each line costs several times what the line itself does. Only what an operator or a client
// named needs escaping; of that there is little, and each is escaped once. Ids are ours, the other words from closed sets.

/** Names of models that nobody offers come from clients: without a bound they would fill the memory. */
const KEPT_WORDS = 1000;

export class RequestLines {
  readonly #quoted = new Map<string, string>();

  /** One line with its end: JSON without prompt, answer, client key or address; times in ms with one decimal. */
  line(settlement: Settlement): string {
    const { id, model, outcome, status, code, dialect, stream, usage, keyId, attempts } = settlement;
    const { arrivedAt, waitMs, firstByteMs, durationMs } = settlement;
    let nodes = '';
    for (const { nodeName } of attempts) nodes += nodes === '' ? this.#quote(nodeName) : `,${this.#quote(nodeName)}`;
    return (
      `{"level":"info","time":${Math.round(arrivedAt + durationMs)},"id":"${id}",` +
      `"model":${model === null ? 'null' : this.#quote(model)},"outcome":"${outcome}","status":${status},` +
      `"code":${code === null ? 'null' : `"${code}"`},"dialect":"${dialect}","stream":${stream},` +
      `"waitMs":${tenths(waitMs)},"firstByteMs":${tenths(firstByteMs)},"durationMs":${tenths(durationMs)},` +
      `"promptTokens":${usage?.promptTokens ?? null},"completionTokens":${usage?.completionTokens ?? null},` +
      `"nodes":[${nodes}],"keyId":${keyId === null ? 'null' : this.#quote(keyId)},"message":"request"}\n`
    );
  }

  #quote(word: string): string {
    const known = this.#quoted.get(word);
    if (known !== undefined) return known;
    if (this.#quoted.size >= KEPT_WORDS) this.#quoted.clear();
    const quoted = JSON.stringify(word);
    this.#quoted.set(word, quoted);
    return quoted;
  }
}

/** In whole numbers: to write a fraction out costs V8 many times as much. */
function tenths(ms: number | null): string {
  if (ms === null) return 'null';
  const count = Math.round(ms * 10);
  const fraction = count % 10;
  return fraction > 0 ? `${(count - fraction) / 10}.${fraction}` : `${count / 10}`;
}
