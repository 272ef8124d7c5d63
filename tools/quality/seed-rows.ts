import type { Mutation, Proof, SeedRow } from './seed-row.ts';

// The seed tasks of the project and what makes each true. tools/write-docs.ts makes the table of docs/progress.md from it;
// mutations.ts applies every mutation to a copy of the checkout and must see the named test fail.

const admission = 'src/data-plane/dispatcher/admission-control.ts';
const dispatcher = 'src/data-plane/dispatcher/dispatcher.ts';
const dispatchPort = 'src/data-plane/dispatcher/dispatch-port.ts';
const selection = 'src/data-plane/balancer/cached-selection.ts';

/** `testFile` null: the test beside the file. */
function proof(file: string, testFile: string | null, testName: string, mutation: Mutation): Proof {
  return { file, testFile: testFile ?? file.replace(/\.ts$/, '.test.ts'), testName, mutation };
}

export const seedRows: readonly SeedRow[] = [
  {
    task: 'T001',
    asks: 'the shape of the shared application state and of the balancer is known',
    proofs: [
      proof(
        'src/app-state.ts',
        null,
        'AppState starts every part and stops them in reverse, letting a running answer finish',
        {
          find: 'await dataPlane.drain(settings.timeouts.shutdownMs);',
          replace: '',
        },
      ),
    ],
  },
  {
    task: 'T002, T003',
    asks: '`AppState` holds one shared `httpClient`, and everything uses it',
    proofs: [
      proof(
        'src/app-state.ts',
        'test/router/app-state-has-a-shared-http-client.test.ts',
        'AppState has a shared HTTP client',
        {
          find: '    httpClient,',
          replace: '    httpClient: createHttpClient(settings.pool, clock),',
        },
      ),
    ],
  },
  {
    task: 'T004',
    asks: '`WaitResult` and `AdmissionDecision` are closed sets of outcomes',
    proofs: [
      proof(dispatchPort, null, 'waitForReadyWithTimeout is abandoned as soon as the client is gone', {
        find: "signal.addEventListener('abort', leave, { once: true });",
        replace: '',
      }),
      proof(
        dispatcher,
        'src/data-plane/dispatcher/dispatch-port.test.ts',
        'waitForReadyWithTimeout is draining once the router stops, for waiters and newcomers',
        {
          find: 'this.#draining = true;',
          replace: '',
        },
      ),
      proof(
        admission,
        null,
        'from half to below four fifths it is accepted with a delay that grows linearly from 10 to 100 ms',
        {
          find: "kind: 'accept-with-delay', delayMs: LEAST",
          replace: "kind: 'accept', delayMs: LEAST",
        },
      ),
    ],
  },
  {
    task: 'T005, T006',
    asks: '`waitForReadyWithTimeout`: `timeout` when no node becomes ready in time',
    proofs: [
      proof(
        dispatcher,
        'src/data-plane/dispatcher/dispatch-port.test.ts',
        'waitForReadyWithTimeout times out when no slot comes free in time, not a millisecond before',
        {
          find: "kind: 'timeout', waitedMs",
          replace: "kind: 'no-ready-node', waitedMs",
        },
      ),
    ],
  },
  {
    task: 'T007',
    asks: '`waitForReadyWithTimeout`: `ready` at once when a node is ready',
    proofs: [
      proof(
        dispatcher,
        'src/data-plane/dispatcher/dispatch-port.test.ts',
        'waitForReadyWithTimeout is ready at once when a node has a free slot',
        {
          find: 'if (candidate) return this.#grant(ticket, candidate, null, now);',
          replace: '',
        },
      ),
    ],
  },
  {
    task: 'T008',
    asks: '`waitForReadyWithTimeout`: `capacity-exceeded` beyond the limit',
    proofs: [
      proof(
        dispatcher,
        'src/data-plane/dispatcher/dispatch-port.test.ts',
        'waitForReadyWithTimeout is capacity-exceeded beyond the limit, and says when to come back',
        {
          find: "if (decision.kind === 'reject' || this.#isOverShare(ticket)) return",
          replace: 'if (this.#isOverShare(ticket)) return',
        },
      ),
      proof(
        dispatcher,
        'src/data-plane/dispatcher/admission.test.ts',
        'a request admitted before re-enters at its old place and may use the last fifth, but no more',
        {
          find: 'if (this.#room.size >= maxWaiters) return this.#refuse(ticket, now);',
          replace: '',
        },
      ),
    ],
  },
  {
    task: 'T009',
    asks: '`admissionControl`: accept below 50 % of the waiter limit',
    proofs: [
      proof(admission, null, 'below half of the limit a request is accepted', {
        find: 'if (waiters * 2 < maxWaiters)',
        replace: 'if (waiters * 3 < maxWaiters)',
      }),
    ],
  },
  {
    task: 'T010',
    asks: 'from 50 % to below 80 %: accept with a delay of 10 to 100 ms that grows with the load',
    proofs: [
      proof(
        admission,
        null,
        'from half to below four fifths it is accepted with a delay that grows linearly from 10 to 100 ms',
        {
          find: 'intoStage * (MOST_DELAY_MS - LEAST_DELAY_MS)',
          replace: '0 * (MOST_DELAY_MS - LEAST_DELAY_MS)',
        },
      ),
      proof(
        dispatcher,
        'src/data-plane/dispatcher/turn.test.ts',
        'no newcomer barges past a waiter that is still in its delay',
        {
          find: 'isSpare(this.#room, this.#placement, each, ticket, now),',
          replace: 'true,',
        },
      ),
    ],
  },
  {
    task: 'T011',
    asks: 'from 80 % on: reject',
    proofs: [
      proof(admission, null, 'from four fifths on it is rejected', {
        find: 'waiters * 5 >= maxWaiters * 4',
        replace: 'waiters * 5 > maxWaiters * 4',
      }),
    ],
  },
  {
    task: 'T012',
    asks: 'the boundaries are exact, under concurrency too',
    proofs: [
      proof(admission, null, 'the boundaries are exact where the limit does not divide evenly', {
        find: 'if (waiters * 2 < maxWaiters)',
        replace: 'if (waiters < Math.floor(maxWaiters / 2))',
      }),
      proof(
        dispatcher,
        'src/data-plane/dispatcher/admission.test.ts',
        'of a limit of 20 waiters 0 to 9 are accepted, 10 to 15 delayed and the next rejected, all in the same instant',
        {
          find: 'admissionControl(this.#room.size, maxWaiters)',
          replace: 'admissionControl(this.#room.size + 1, maxWaiters)',
        },
      ),
    ],
  },
  {
    task: 'T013, T014',
    asks: '`CachedSelection` and `selectNodeCached`: consecutive calls within 10 ms return the same node, and it does not herd',
    proofs: [
      proof(selection, null, 'consecutive calls of selectNodeCached return the same node while nothing is taken', {
        find: 'if (kept && now - kept.builtAt < this.#ttlMs) return kept;',
        replace: '',
      }),
      proof(
        selection,
        'src/data-plane/dispatcher/no-herd.test.ts',
        '80 requests in the same instant land 18 to 22 on each of 4 equal idle nodes',
        {
          find: 'return this.#policy(open, counts, entry);',
          replace: 'return this.#policy(open, { inFlight: () => 0 }, entry);',
        },
      ),
    ],
  },
  {
    task: 'T018',
    asks: 'the models API uses the shared client: catalogue, pull, distribution',
    proofs: [],
    later: 'issue E; the endpoints answer 501',
  },
  {
    task: 'T019',
    asks: 'the nodes API uses the shared client: the health probe on registration',
    proofs: [
      proof(
        'src/control-plane/nodes/node-fleet.ts',
        'src/control-plane/control-plane.test.ts',
        'a node added through the API is in force when the 201 comes, and there after a restart',
        {
          find: 'await this.#loops.get(node.id)?.probeNow();',
          replace: '',
        },
      ),
    ],
    later: 'the automatic distribution of models after registration (issue E)',
  },
  {
    task: 'T020',
    asks: "the logs API uses the shared client: a node's logs, read through the router",
    proofs: [],
    later: 'issue E; the endpoint answers 501',
  },
  {
    task: 'T022',
    asks: 'formatting and lint are clean, with warnings as errors',
    proofs: [
      proof('tools/quality/steps.ts', null, 'formatting is checked, not repaired, and a lint warning is an error', {
        find: "'--deny-warnings', ",
        replace: '',
      }),
    ],
  },
  {
    task: 'T023',
    asks: 'all tests pass',
    proofs: [
      proof('tools/quality/steps.ts', null, 'the tests that quality runs are those of npm test', {
        find: "['--run', 'test']",
        replace: "['--test', 'src/lib']",
      }),
    ],
  },
  {
    task: 'T024',
    asks: '`npm run quality` runs every check',
    proofs: [
      proof('tools/quality/steps.ts', null, 'one command runs every check', {
        find: '[staticChecks, tests], [seedRows]',
        replace: '[staticChecks, tests]',
      }),
    ],
  },
  {
    task: 'T025',
    asks: 'this table: for each row the file and the test that make it true',
    proofs: [
      proof('tools/quality/mutations.ts', null, 'a test that passes with the mutation is reported', {
        find: '=> !passed)',
        replace: '=> passed)',
      }),
      proof('tools/docs/progress-table.ts', null, 'each proof is a line, and what is not there yet says so', {
        find: 'if (later === undefined) return proven;',
        replace: 'return proven;',
      }),
    ],
  },
];
