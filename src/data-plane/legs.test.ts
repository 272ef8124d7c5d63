import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testAttempt } from '../../test/support/settlement.ts';
import type { ClientError } from './api/dialect.ts';
import type { Ending } from './ending.ts';
import { errors, type ErrorCode } from '../fleet/errors.ts';
import type { AttemptEnd } from '../fleet/settlement.ts';
import { hopefuller, legOf, mayPassOn } from './legs.ts';

function ended(code: ErrorCode): Ending {
  const { status, type, message } = errors[code];
  const error: ClientError = { code, status, type, message, requestId: 'id', retryAfterMs: null, standing: null };
  return { kind: 'error', error };
}

function after(...ends: readonly AttemptEnd[]) {
  return { waitMs: null, outlet: { hasBegun: false }, attempts: ends.map((end) => testAttempt('a', { end })) };
}

test('the wait is shared evenly by the models that are left, and what one leaves over goes to the next', () => {
  const none = { waitMs: null, attempts: [] };
  assert.deepEqual(legOf(none, 3000, 2), { waitUntilMs: 1000, attemptsLeft: 1 });
  assert.equal(legOf(none, 3000, 2, 500).waitUntilMs, 500);
  assert.equal(legOf(none, 3000, 0, 500).waitUntilMs, 3000);
  assert.deepEqual(legOf({ ...none, waitMs: 200 }, 3000, 1), { waitUntilMs: 1600, attemptsLeft: 2 });
  assert.deepEqual(legOf({ ...none, waitMs: 1600 }, 3000, 0), { waitUntilMs: 3000, attemptsLeft: 3 });
  assert.deepEqual(legOf({ ...none, waitMs: 4000 }, 3000, 0), { waitUntilMs: 4000, attemptsLeft: 3 });
});

test('three attempts are shared likewise, and a model that is reached has one', () => {
  assert.equal(legOf(after('reset'), 0, 1).attemptsLeft, 1);
  assert.equal(legOf(after('reset', 'reset'), 0, 0).attemptsLeft, 1);
  assert.equal(legOf(after(), 0, 4).attemptsLeft, 1);
});

test('what another model could cure is passed on, all else ends the request', () => {
  const passed = Object.keys(errors).filter((code) => isCode(code) && mayPassOn(ended(code), after(), false));
  assert.deepEqual(passed, [
    'unsupported_field',
    'model_not_found',
    'capacity_exceeded',
    'deadline_unreachable',
    'wait_timeout',
    'no_ready_node',
    'upstream_failed',
    'upstream_timeout',
  ]);
  for (const ending of [{ kind: 'gone' }, { kind: 'answered', status: 400 }] satisfies Ending[]) {
    assert.equal(mayPassOn(ending, after(), false), false);
  }
  assert.equal(mayPassOn(ended('upstream_failed'), after('reset', 'reset', 'reset'), false), false);
  const begun = { ...after('broken'), outlet: { hasBegun: true } };
  assert.equal(mayPassOn(ended('upstream_failed'), begun, false), false);
});

test('an upload is passed on only while no node can have it', () => {
  assert.equal(mayPassOn(ended('upstream_failed'), after('connect-failed'), true), true);
  assert.equal(mayPassOn(ended('upstream_failed'), after('connect-failed', 'reset'), true), false);
});

test('the client is told of the ending after which the same request may succeed later', () => {
  const [busy, unknown] = [ended('capacity_exceeded'), ended('model_not_found')];
  assert.equal(hopefuller(null, unknown), unknown);
  assert.equal(hopefuller(busy, unknown), busy);
  assert.equal(hopefuller(unknown, busy), busy);
  const answered: Ending = { kind: 'answered', status: 200 };
  assert.equal(hopefuller(busy, answered), answered);
});

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(errors, code);
}
