import type { BodySink, PacedBody } from '../../src/http-client/exchange.ts';

// A request's body that a test gives piece by piece.

export class TestBody implements PacedBody {
  readonly bytes: number | null;
  sink: BodySink | null = null;
  isPaused = false;
  readonly #onPour: (sink: BodySink, body: TestBody) => void;

  /** `onPour` is called when the node is connected. */
  constructor(bytes: number | null, onPour: (sink: BodySink, body: TestBody) => void = () => undefined) {
    this.bytes = bytes;
    this.#onPour = onPour;
  }

  pour(sink: BodySink): void {
    this.sink = sink;
    this.#onPour(sink, this);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }
}

/** A body of these pieces, all given at once. */
export function bodyOf(pieces: readonly (string | Buffer)[], isChunked: boolean): TestBody {
  const buffers = pieces.map((piece) => Buffer.from(piece));
  const bytes = buffers.reduce((sum, { length }) => sum + length, 0);
  return new TestBody(isChunked ? null : bytes, (sink) => {
    for (const piece of buffers) sink.write(piece);
    sink.end();
  });
}
