// A reporter for `node --test --test-reporter=…`: one JSON object a line, so that results are read as values and not
// guessed from words on a screen.

/** How one test, or a whole file that could not be run, ended. */
export interface TestResult {
  readonly passed: boolean;
  readonly name: string;
  /** Why a failed test failed: `testCodeFailure` (it threw), `testTimeoutFailure`, `cancelledByParent`, … */
  readonly failure: string | null;
}

interface RunnerEvent {
  readonly type: string;
  readonly data: {
    readonly name?: string;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly details?: { readonly error?: { readonly failureType?: string } };
  };
}

async function* jsonLines(source: AsyncIterable<RunnerEvent>): AsyncGenerator<string> {
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    // A skipped test proves nothing, so it is not reported as passed.
    if (data.skip !== undefined || data.todo !== undefined) continue;
    const passed = type === 'test:pass';
    const failure = passed ? null : (data.details?.error?.failureType ?? 'unknown');
    yield `${JSON.stringify({ passed, name: data.name ?? '', failure } satisfies TestResult)}\n`;
  }
}

// Node wants a reporter as the default export; .oxlintrc.json allows it here alone.
export default jsonLines;
