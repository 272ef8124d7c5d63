import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyHash } from '../../src/data-plane/auth/key-hash.ts';
import type { EngineKind } from '../../src/fleet/glossary.ts';
import { held, inTurn, status, type Scripted } from '../support/scripted-answers.ts';
import { scriptedNode, type ScriptedNode } from '../support/scripted-node.ts';
import { ANSWER, ARGS, dying, endless, speaking } from '../support/speaking-node.ts';
import { startDataPlane, testKey, type TestDataPlane } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';
import { NO_RETRY, nodesFor, type ClientRow, type Operation } from './clients.ts';

// What every client is held to. A test file says how its client asks; what must come of it is the same for all and stands here.

/** One question to the router. */
export interface Ask {
  /** Of the router, without a path. */
  readonly url: string;
  readonly key: string;
  readonly model: string;
  /** How often the client may try again by itself. */
  readonly retries: number;
  readonly prompt: string;
}

/** What a client's own error says. */
export interface Told {
  /** Null where the client does not tell it. */
  readonly status: number | null;
  readonly message: string;
}

/** How a client asks. */
export interface HeldClient {
  chat(ask: Ask): Promise<string>;
  /** The pieces of text as they come; throws what the client throws. */
  stream(ask: Ask, signal: AbortSignal): AsyncIterable<string>;
  /** Asks with the tool `readLoad`, runs it when it is called, hands its result back and returns the last text. */
  useTool(ask: Ask, run: (args: unknown) => string): Promise<string>;
  told(error: unknown): Told;
}

/** A tool for clients to offer, as JSON Schema. */
export const readLoad = {
  name: 'read_load',
  description: 'How busy a node is',
  parameters: {
    type: 'object',
    properties: { node: { type: 'string', enum: ['gpu', 'cpu'] } },
    required: ['node'],
    additionalProperties: false,
  },
} as const;

const KEY = 'sk-weir-test';
const TOLD_SECONDS = 1;
const required = { auth: { clients: 'required' } } as const;

interface Stage {
  readonly weir: TestDataPlane;
  readonly node: ScriptedNode;
  readonly ask: Ask;
}

/**
 * Registers the tests of one client, on each kind of node. Where it is `absent` they are skipped with that reason, unless
 * WEIR_REQUIRE_CLIENTS=1 says that it must be there, as it does in CI.
 */
export function holdToRouter(row: ClientRow, client: HeldClient, absent: string | null = null): void {
  assert.ok(absent === null || process.env['WEIR_REQUIRE_CLIENTS'] !== '1', absent ?? '');
  for (const engine of nodesFor[row.path]) holdOn(engine, row, client, absent ?? false);
}

function holdOn(engine: EngineKind, row: ClientRow, client: HeldClient, skip: string | false): void {
  const holds = (
    operation: Operation,
    behaviour: string,
    answer: Scripted,
    play: (on: Stage) => Promise<void>,
  ): void => {
    test(`${row.name}, on ${engine} nodes: ${behaviour}`, { timeout: 30_000, skip }, async () => {
      await using node = await scriptedNode(answer);
      const keys = [testKey(keyHash(KEY))];
      await using weir = await startDataPlane([{ url: node.url, engine, slots: 1 }], required, { keys });
      await play({
        weir,
        node,
        ask: { url: weir.url, key: KEY, model: 'llama3', retries: 0, prompt: 'is there room' },
      });
    });
  };

  holds('chat', 'gets a whole answer', speaking, async ({ weir, ask }) => {
    assert.equal(await client.chat(ask), ANSWER.join(''));
    await assertOutcomes(weir, ['served']);
  });

  holds('stream', 'gets a streamed answer piece by piece', speaking, async ({ weir, ask }) => {
    assert.deepEqual(await allOf(client.stream(ask, never)), ANSWER);
    await assertOutcomes(weir, ['served']);
  });

  holds('tools', 'is told a tool call, and tells its result', speaking, async ({ weir, node, ask }) => {
    const calls: unknown[] = [];
    const answer = await client.useTool(ask, (args) => {
      calls.push(args);
      return '3 of 4 slots';
    });
    assert.deepEqual(calls, [ARGS]);
    assert.equal(answer, ANSWER.join(''));
    assert.match(node.requests.at(-1)?.body.toString() ?? '', /3 of 4 slots/);
    await assertOutcomes(weir, ['served', 'served']);
  });

  const saysWhy = row.lacks.refusal === undefined;
  const refusal = saysWhy ? 'tells why it was refused' : 'tells the status of a refusal';
  holds('refusal', refusal, speaking, async ({ weir, ask }) => {
    const assertTold = async (expected: number, sentence: RegExp, asked: Promise<unknown>): Promise<void> => {
      const told = client.told(await thrownBy(asked));
      assert.equal(told.status, expected);
      if (saysWhy) assert.match(told.message, sentence);
    };
    const missing = /No node offers this model/;
    await assertTold(404, missing, client.chat({ ...ask, model: 'nothing', retries: 2 }));
    await assertTold(404, missing, allOf(client.stream({ ...ask, model: 'nothing' }, never)));
    await assertTold(401, /No valid API key was sent/, client.chat({ ...ask, key: 'wrong' }));
    // Trying again would be of no use, and it did not.
    await assertOutcomes(weir, ['rejected', 'rejected', 'rejected']);
  });

  const busy = held(speaking);
  holds('wait', 'is served after a wait', busy.answer, async ({ weir, ask }) => {
    const first = client.chat(ask);
    await until(() => busy.waiting() === 1, { what: 'the node to be busy' });
    const second = client.chat(ask);
    await until(() => weir.plane.gauges().waiters === 1, { what: 'a waiter' });
    busy.release();
    assert.equal(await first, ANSWER.join(''));
    assert.equal(await second, ANSWER.join(''));
    const [, waited] = await weir.settled(2);
    assert.ok(typeof waited?.waitMs === 'number');
  });

  const overloaded = inTurn(status(503, { 'retry-after': String(TOLD_SECONDS) }), speaking);
  const retries = row.lacks.retry !== NO_RETRY;
  const obeys = row.lacks.retry === undefined;
  const ways = {
    obeying: 'retries a 503, not before it was told to',
    own: 'retries a 503',
    none: 'tells a 503 as such',
  };
  const retry = obeys ? ways.obeying : retries ? ways.own : ways.none;
  holds('retry', retry, overloaded, async ({ weir, ask }) => {
    if (!retries) {
      const refused = client.told(await thrownBy(client.chat({ ...ask, retries: 2 })));
      assert.match(refused.message, /Try again after the time in Retry-After/);
      assert.equal(refused.status, 503);
      await assertOutcomes(weir, ['failed']);
      return;
    }
    assert.equal(await client.chat({ ...ask, retries: 2 }), ANSWER.join(''));
    const [refused, served] = await assertOutcomes(weir, ['failed', 'served']);
    assert.equal(refused?.status, 503);
    // Wall clocks round to a millisecond.
    if (obeys) assert.ok((served?.arrivedAt ?? 0) - (refused?.arrivedAt ?? 0) >= TOLD_SECONDS * 1000 - 2);
  });

  const dies = Promise.withResolvers<void>();
  const throwsWhenBroken = row.lacks.broken === undefined;
  const broken = throwsWhenBroken ? 'throws where a stream breaks' : 'takes a broken stream for a short answer';
  holds('broken', broken, dying(dies.promise), async ({ weir, ask }) => {
    const read = async (): Promise<void> => {
      for await (const piece of client.stream(ask, never)) {
        assert.ok(ANSWER.some((part) => part === piece));
        dies.resolve();
      }
    };
    if (throwsWhenBroken) {
      const { message } = client.told(await thrownBy(read()));
      assert.match(message, /stopped in the middle of the answer/);
    } else await read();
    await assertOutcomes(weir, ['interrupted']);
  });

  holds('abort', 'leaves a stream, and the node is left too', endless, async ({ weir, node, ask }) => {
    const leaving = new AbortController();
    try {
      for await (const piece of client.stream(ask, leaving.signal)) {
        assert.equal(piece, ANSWER[0]);
        leaving.abort();
        break;
      }
    } catch (error) {
      assert.ok(leaving.signal.aborted, String(error));
    }
    await until(() => node.sockets().open === 0, { what: "the node's connection to be closed" });
    await assertOutcomes(weir, ['gone']);
  });
}

/** Never aborted. */
const never = new AbortController().signal;

async function assertOutcomes(
  weir: TestDataPlane,
  expected: readonly string[],
): Promise<Awaited<ReturnType<TestDataPlane['settled']>>> {
  const settlements = await weir.settled(expected.length);
  assert.deepEqual(
    settlements.map(({ outcome }) => outcome),
    expected,
  );
  return settlements;
}

async function allOf(pieces: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}

async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' });
}
