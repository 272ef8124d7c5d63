import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type RawConnection, rawNode } from '../support/raw-node.ts';
import { clientOf, requestOf, targetOf } from '../support/test-client.ts';
import { until } from '../support/until.ts';

// Many exchanges at once on one pool, against a node that answers each with its own number and then, or before, or in between,
// does what nodes do: closes, resets, says too much, says nonsense. An answer that reaches another exchange is the worst that a
// pool can do, a second ending or none the next worst. A node whose unasked-for answer arrives only after its connection was used
// again is left out: HTTP/1.1 has nothing to tell that answer by.

const LANES = 12;
const EXCHANGES = 120;

const answerTo = (number: string, headers = ''): string =>
  `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${number.length}\r\n\r\n${number}`;

type Act = (number: string, connection: RawConnection) => void;

const send =
  (bytes: (number: string) => string): Act =>
  (number, { socket }) =>
    void socket.write(bytes(number));

const acts: readonly (readonly [name: string, act: Act])[] = [
  ['answers', send((number) => answerTo(number))],
  ['answers again', send((number) => answerTo(number))],
  [
    'answers in chunks',
    send((number) => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${number.length}\r\n${number}\r\n0\r\n\r\n`),
  ],
  [
    'answers in two pieces',
    (number, { socket }) => {
      const answer = answerTo(number);
      socket.write(answer.slice(0, 25));
      setImmediate(() => socket.write(answer.slice(25)));
    },
  ],
  ['answers and announces its close', send((number) => answerTo(number, 'Connection: close\r\n'))],
  ['answers and closes', (number, { socket }) => void socket.end(answerTo(number))],
  [
    'answers and resets',
    (number, { socket }) => {
      socket.write(answerTo(number), () => setImmediate(() => socket.resetAndDestroy()));
    },
  ],
  ['answers until it closes', (number, { socket }) => void socket.end(`HTTP/1.1 200 OK\r\n\r\n${number}`)],
  ['answers twice', send((number) => answerTo(number) + answerTo('other'))],
  ['resets', (_number, { socket }) => void socket.resetAndDestroy()],
  ['closes', (_number, { socket }) => void socket.end()],
  ['breaks off', (number, { socket }) => void socket.end(answerTo(number).slice(0, -1))],
  ['talks nonsense', send(() => 'what?\r\n\r\n')],
];

test('every exchange ends once, with its own answer or a failure, whatever its node and its client do', async () => {
  const cases = fc.record({
    plan: fc.array(fc.nat(acts.length - 1), { minLength: 30, maxLength: 60 }),
    aborts: fc.array(fc.nat(9), { minLength: 20, maxLength: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ plan, aborts }) => {
      let step = 0;
      await using node = await rawNode((piece, connection) => {
        const number = /#(\d+)$/.exec(piece)?.[1];
        if (number !== undefined) acts[plan[step++ % plan.length] ?? 0]?.[1](number, connection);
      });
      using client = clientOf();
      const endings = new Map<number, string[]>();
      const aborted = new Set<number>();
      let next = 0;
      let settled = 0;
      const settle = (): void => {
        settled += 1;
        setImmediate(start);
      };
      const start = (): void => {
        if (next === EXCHANGES) return;
        const number = next++;
        let body = '';
        const told: string[] = [];
        endings.set(number, told);
        const exchange = client.exchange(targetOf(node.url), requestOf({ body: Buffer.from(`#${number}`) }), {
          onHead: () => undefined,
          onData: (chunk) => {
            body += chunk.toString();
          },
          onEnd: () => {
            told.push(body);
            settle();
          },
          onError: () => {
            told.push('failed');
            settle();
          },
        });
        if (aborts[number % aborts.length] !== 0) return;
        setImmediate(() => {
          if (told.length > 0) return;
          aborted.add(number);
          exchange.abort();
          settle();
        });
      };
      for (let lane = 0; lane < LANES; lane += 1) start();
      await until(() => settled === EXCHANGES, { what: () => `all to end; ${settled} did` });
      assert.equal(client.sockets('node').busy, 0);
      await until(() => node.open() === client.sockets('node').idle, { what: 'the sockets that are no more to close' });
      for (const [number, told] of endings) {
        if (aborted.has(number)) assert.deepEqual(told, [], 'nothing is told after an abort');
        else
          assert.ok(
            told.length === 1 && (told[0] === 'failed' || told[0] === String(number)),
            `${number}: ${told.join()}`,
          );
      }
    }),
    { numRuns: 15 },
  );
});
