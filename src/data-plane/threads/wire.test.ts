import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ticket, WaitResult } from '../dispatcher/ticket.ts';
import {
  readOutcome,
  readResult,
  readSpent,
  readTicket,
  releaseNumbers,
  resultNumbers,
  ticketNumbers,
  ticketText,
} from './wire.ts';

const prefix = { hashes: [4_000_000_000, 7], blockTokens: 256 };

const ticket: Ticket = {
  id: 7,
  model: 'llama3:8b',
  bytes: 4321,
  maxWaitMs: 30_000,
  tried: [{ node: 3, generation: 9 }],
  readmitted: true,
  claim: {
    caller: 'key k-1',
    weight: 0.25,
    promptTokens: 1080.25,
    maxTokens: 512,
    prefix,
    streams: true,
    priority: 'high',
    startBy: 1234.5,
    hasTtftSlo: true,
  },
};

test('a ticket crosses to the dispatcher whole: who pays, by what weight, and for what', () => {
  const others: Ticket[] = [
    ticket,
    { ...ticket, tried: [], readmitted: false },
    {
      ...ticket,
      model: '',
      claim: {
        ...ticket.claim,
        caller: '',
        maxTokens: null,
        prefix: { hashes: [], blockTokens: 1 },
        streams: false,
        priority: 'low',
        startBy: null,
        hasTtftSlo: false,
      },
    },
  ];
  for (const each of others) assert.deepEqual(readTicket(ticketNumbers(each), ticketText(each)), each);
});

test('what an attempt took crosses with its outcome', () => {
  const spent = { promptTokens: 10, completionTokens: null, cachedTokens: 0 };
  const numbers = releaseNumbers(5, { kind: 'overloaded', coolMs: 3000 }, spent);
  assert.equal(numbers[0], 5);
  assert.deepEqual(readOutcome(numbers), { kind: 'overloaded', coolMs: 3000 });
  assert.deepEqual(readSpent(numbers), spent);
  const without = releaseNumbers(5, { kind: 'served' }, null);
  assert.deepEqual(readOutcome(without), { kind: 'served' });
  assert.equal(readSpent(without), null);
});

test('a refusal crosses with where the ticket stood', () => {
  const standing = { position: 3, estimatedWaitMs: 1500.5 };
  const results: WaitResult[] = [
    { kind: 'timeout', waitedMs: 20, retryAfterMs: 1000, standing },
    { kind: 'deadline-unreachable', waitedMs: null, retryAfterMs: 1000, standing },
    { kind: 'deadline-unreachable', waitedMs: 5, retryAfterMs: 1000, standing: null },
    { kind: 'capacity-exceeded', waitedMs: null, retryAfterMs: 1000, standing },
    { kind: 'no-ready-node', waitedMs: 20, retryAfterMs: 1000 },
  ];
  for (const each of results) assert.deepEqual(readResult(resultNumbers(7, each), ''), each);
});
