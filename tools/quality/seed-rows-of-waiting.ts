import type { SeedRow } from './seed-row.ts';

/** The seed tasks about waiting, admission and selection. */
export const seedRowsOfWaiting: readonly SeedRow[] = [
  {
    task: 'T004',
    asks: '`WaitResult` and `AdmissionDecision` are closed sets of outcomes',
    proofs: [
      {
        file: 'src/data-plane/dispatcher/dispatcher.ts',
        testFile: 'src/data-plane/dispatcher/dispatch-port.test.ts',
        testName: 'waitForReadyWithTimeout is abandoned as soon as the client is gone',
        mutation: {
          find: "if (waiter) this.#dismiss(waiter, { kind: 'abandoned', waitedMs",
          replace: "if (waiter) this.#dismiss(waiter, { kind: 'draining', waitedMs",
        },
      },
      {
        file: 'src/data-plane/dispatcher/admission-control.ts',
        testFile: 'src/data-plane/dispatcher/admission-control.test.ts',
        testName: 'below half of the limit a request is accepted',
        mutation: {
          find: "if (waiters * 2 < maxWaiters) return { kind: 'accept' };",
          replace: "if (waiters * 2 < maxWaiters) return { kind: 'accept-with-delay', delayMs: LEAST_DELAY_MS };",
        },
      },
    ],
  },
  {
    task: 'T005',
    asks: '`waitForReadyWithTimeout`: `timeout` when no node becomes ready in time',
    proofs: [
      {
        file: 'src/data-plane/dispatcher/waiting-room.ts',
        testFile: 'src/data-plane/dispatcher/dispatch-port.test.ts',
        testName: 'waitForReadyWithTimeout times out when no slot comes free in time, not a millisecond before',
        mutation: { find: 'if (waiter && waiter.deadlineAt <= now) overdue.add(waiter);', replace: '' },
      },
    ],
  },
  {
    task: 'T006',
    asks: '`waitForReadyWithTimeout`: `ready` at once when a node is ready',
    proofs: [
      {
        file: 'src/data-plane/dispatcher/dispatcher.ts',
        testFile: 'src/data-plane/dispatcher/dispatch-port.test.ts',
        testName: 'waitForReadyWithTimeout is ready at once when a node has a free slot',
        mutation: { find: 'if (candidate && !this.#declines(ticket, candidate, now))', replace: 'if (ticket.id < 0)' },
      },
    ],
  },
  {
    task: 'T007',
    asks: '`waitForReadyWithTimeout`: `capacity-exceeded` beyond the limit',
    proofs: [
      {
        file: 'src/data-plane/dispatcher/admission.ts',
        testFile: 'src/data-plane/dispatcher/dispatch-port.test.ts',
        testName: 'waitForReadyWithTimeout is capacity-exceeded beyond the limit, and says when to come back',
        mutation: {
          find: 'if (isFull(size, maxWaiters, reserved)) {',
          replace: 'if (isFull(size, maxWaiters * 10, reserved)) {',
        },
      },
      {
        file: 'src/data-plane/dispatcher/admission.ts',
        testFile: 'src/data-plane/dispatcher/admission.test.ts',
        testName: 'a request admitted before re-enters at its old place and may use the last fifth, but no more',
        mutation: {
          find: 'return size >= maxWaiters ?',
          replace: 'return isFull(size, maxWaiters) ?',
        },
      },
    ],
  },
  {
    task: 'T008',
    asks: 'the wait itself: a freed slot is handed over, in order, without a race',
    proofs: [
      {
        file: 'src/data-plane/dispatcher/dispatcher.ts',
        testFile: 'src/data-plane/dispatcher/turn.test.ts',
        testName: 'a freed slot is handed to the oldest waiter in the same synchronous step',
        mutation: { find: '&& this.#placement.isRegistered(lease)) this.#handOut(node, now);', replace: ') return;' },
      },
      {
        file: 'src/data-plane/dispatcher/dispatcher.ts',
        testFile: 'src/data-plane/dispatcher/turn.test.ts',
        testName: 'no newcomer barges past a waiter that is still in its delay',
        mutation: {
          find: 'isSpare(this.#room, this.#placement, each, ticket, account, mayDecline, now)',
          replace: 'ticket.id > 0',
        },
      },
    ],
  },
  {
    task: 'T009',
    asks: '`admissionControl`: accept below 50 % of the waiter limit',
    proofs: [
      {
        file: 'src/data-plane/dispatcher/admission-control.ts',
        testFile: 'src/data-plane/dispatcher/admission-control.test.ts',
        testName: 'below half of the limit a request is accepted',
        mutation: { find: 'waiters * 2 < maxWaiters', replace: 'waiters * 3 < maxWaiters' },
      },
    ],
  },
  {
    task: 'T010',
    asks: 'from 50 % to below 80 %: accept with a delay of 10 to 100 ms that grows with the load',
    proofs: [
      {
        file: 'src/data-plane/dispatcher/admission-control.ts',
        testFile: 'src/data-plane/dispatcher/admission-control.test.ts',
        testName: 'from half to below four fifths it is accepted with a delay that grows linearly from 10 to 100 ms',
        mutation: {
          find: 'const intoStage = Math.min(1, (waiters / maxWaiters - 0.5) / 0.3);',
          replace: 'const intoStage = 0;',
        },
      },
    ],
  },
  {
    task: 'T011',
    asks: 'from 80 % on: reject',
    proofs: [
      {
        file: 'src/data-plane/dispatcher/admission-control.ts',
        testFile: 'src/data-plane/dispatcher/admission-control.test.ts',
        testName: 'from four fifths on it is rejected',
        mutation: {
          find: 'return waiters * 5 >= maxWaiters * fifths(reserved);',
          replace: 'return waiters * 5 > maxWaiters * fifths(reserved);',
        },
      },
    ],
  },
  {
    task: 'T012',
    asks: 'the boundaries are exact, under concurrency too',
    proofs: [
      {
        file: 'src/data-plane/dispatcher/turn.ts',
        testFile: 'src/data-plane/dispatcher/admission.test.ts',
        testName:
          'of a limit of 20 waiters 0 to 9 are accepted, 10 to 15 delayed and the next rejected, all in the same instant',
        mutation: { find: 'if (waiter.eligibleAt > now) continue;', replace: '' },
      },
      {
        file: 'src/data-plane/dispatcher/admission-control.ts',
        testFile: 'src/data-plane/dispatcher/admission-control.test.ts',
        testName: 'the boundaries are exact where the limit does not divide evenly',
        mutation: { find: 'waiters * 2 < maxWaiters', replace: 'waiters < Math.floor(maxWaiters / 2)' },
      },
    ],
  },
  {
    task: 'T013',
    asks: '`CachedSelection` and `selectNodeCached`: consecutive calls within 10 ms return the same node',
    proofs: [
      {
        file: 'src/data-plane/balancer/cached-selection.ts',
        testFile: 'src/data-plane/balancer/cached-selection.test.ts',
        testName: 'consecutive calls of selectNodeCached return the same node while nothing is taken',
        mutation: {
          find: 'if (kept && now - kept.builtAt < Math.max(this.#ttlMs, kept.candidates.length / NODES_PER_MS)) return kept;',
          replace: '',
        },
      },
      {
        file: 'src/data-plane/balancer/cached-selection.ts',
        testFile: 'src/data-plane/balancer/cached-selection.test.ts',
        testName: 'the candidates are kept for the time to live and no longer',
        mutation: {
          find: 'now - kept.builtAt < Math.max(this.#ttlMs,',
          replace: 'now - kept.builtAt < Math.max(Infinity,',
        },
      },
    ],
  },
  {
    task: 'T014',
    asks: 'the cached selection does not herd',
    proofs: [
      {
        file: 'src/data-plane/balancer/cached-selection.ts',
        testFile: 'src/data-plane/dispatcher/no-herd.test.ts',
        testName: '80 requests in the same instant land 18 to 22 on each of 4 equal idle nodes',
        mutation: {
          find: 'return this.#policy(open, counts, entry);',
          replace: 'return this.#policy(open, { inFlight: () => 0 }, entry);',
        },
      },
      {
        file: 'src/data-plane/balancer/candidate.ts',
        testFile: 'src/data-plane/dispatcher/no-herd.test.ts',
        testName: 'unequal nodes, some already at work, stay within one of proportional however full the fleet is',
        mutation: { find: '(counts.inFlight(node) + 0.5) / slots', replace: 'counts.inFlight(node) / slots' },
      },
      {
        file: 'src/data-plane/balancer/breaker.ts',
        testFile: 'src/data-plane/dispatcher/no-herd.test.ts',
        testName: 'a node that fails fast gets under 2 % of 2000 requests',
        mutation: {
          find: '(this.#inARow >= FAULTS_IN_A_ROW || halfFailed) && mayOpen()',
          replace: '(this.#inARow < 0 || halfFailed && now < 0)',
        },
      },
    ],
  },
];
