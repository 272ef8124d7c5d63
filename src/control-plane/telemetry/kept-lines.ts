// The newest lines of the log, for the admin API. They are kept as they were written, many in one string: two thousand strings
// that all live for a while and then go are what a young heap is worst at.

interface Chunk {
  /** Whole lines, each with its end. */
  readonly text: string;
  readonly lines: number;
}

export class KeptLines {
  readonly #atLeast: number;
  readonly #chunks: Chunk[] = [];
  #lines = 0;

  /** The newest `atLeast` are kept, and what came in one piece with the oldest of them. */
  constructor(atLeast: number) {
    this.#atLeast = atLeast;
  }

  push(text: string, lines: number): void {
    this.#chunks.push({ text, lines });
    this.#lines += lines;
    for (;;) {
      const oldest = this.#chunks[0];
      if (!oldest || this.#lines - oldest.lines < this.#atLeast) return;
      this.#chunks.shift();
      this.#lines -= oldest.lines;
    }
  }

  /** The newest `count` without their ends, oldest of them first. */
  last(count: number): string[] {
    if (count <= 0) return [];
    const newest: Chunk[] = [];
    let lines = 0;
    for (let at = this.#chunks.length - 1; at >= 0 && lines < count; at -= 1) {
      const chunk = this.#chunks[at];
      if (!chunk) break;
      newest.unshift(chunk);
      lines += chunk.lines;
    }
    return newest.flatMap(({ text }) => text.slice(0, -1).split('\n')).slice(-count);
  }
}
