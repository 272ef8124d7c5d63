import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CHUNKED, garbage, OK, wellFormed } from '../../../test/support/raw-answers.ts';
import { readAnswer } from '../../../test/support/read-answer.ts';
import { AnswerReader } from './answer-reader.ts';

/** Of a long answer not every place to split it is tried. */
const MOST_SPLITS = 400;

function assertGarbage(pieces: readonly string[], fault: RegExp, at: string): void {
  const read = readAnswer(pieces);
  assert.equal(read.end, 'garbage', at);
  assert.match(read.fault, fault, at);
  assert.equal(read.keepsAlive, false, at);
}

for (const [what, answer, end, body, keepsAlive] of wellFormed) {
  test(`${what}: read as it says, wherever its bytes are split`, () => {
    for (const isLent of [false, true]) {
      const check = (pieces: readonly string[], at: string): void => {
        const read = readAnswer(pieces, { isLent });
        assert.deepEqual([read.end, read.body, read.fault], [end, body, ''], at);
        if (pieces.length === 1) assert.equal(read.keepsAlive, keepsAlive);
      };
      check([answer], 'in one read');
      check(answer.split(''), 'byte by byte');
      for (let at = 1; at < answer.length; at += 1) check([answer.slice(0, at), answer.slice(at)], `split at ${at}`);
    }
  });
}

for (const [what, answer, fault] of garbage) {
  test(`${what}: garbage, wherever its bytes are split`, () => {
    assertGarbage([answer], fault, 'in one read');
    assertGarbage(answer.split(''), fault, 'byte by byte');
    const step = Math.max(1, Math.floor(answer.length / MOST_SPLITS));
    for (let at = 1; at < answer.length; at += step)
      assertGarbage([answer.slice(0, at), answer.slice(at)], fault, `split at ${at}`);
  });
}

test('an answer cut short is never taken for a whole one', () => {
  for (const [what, answer, end, body] of wellFormed) {
    if (end === 'closed' || what.includes('behind')) continue;
    for (let at = 0; at < answer.length; at += 1) {
      const read = readAnswer([answer.slice(0, at)]);
      assert.equal(read.end, 'torn', `${what}, cut at ${at}`);
      assert.ok(body.startsWith(read.body));
    }
  }
});

test('the answer to a HEAD request has no body, whatever it says of one', () => {
  for (const framing of ['Content-Length: 5', 'Transfer-Encoding: chunked', 'X: y']) {
    const read = readAnswer([`${OK}${framing}\r\n\r\n`], { isHead: true });
    assert.deepEqual([read.end, read.body, read.keepsAlive], ['done', '', true], framing);
  }
  assert.equal(readAnswer([`${OK}Content-Length: 5\r\n\r\nhello`], { isHead: true }).keepsAlive, false);
});

test('headers come in lower case without the white space round them, repeated ones as a list', () => {
  const head =
    'Content-Type: text/plain\r\nX-One:  1 \r\nSet-Cookie: a\r\nset-cookie: b\r\nSET-COOKIE: c\r\ntoString: x\r\n';
  const { headers } = readAnswer([`${OK}${head}Content-Length: 0\r\n\r\n`]);
  assert.equal(headers['content-type'], 'text/plain');
  assert.equal(headers['x-one'], '1');
  assert.deepEqual(headers['set-cookie'], ['a', 'b', 'c']);
  assert.equal(headers['tostring'], 'x');
});

test('the chunks of one read are one piece, and what was lent is not kept', () => {
  const pieces = [`${CHUNKED}1\r\na\r\n2\r\nbc\r\n3\r\nd`, 'ef\r\n1\r\ng\r\n', '0\r\n\r\n'];
  for (const isLent of [false, true]) assert.deepEqual(readAnswer(pieces, { isLent }).chunks, ['abcd', 'efg']);
});

test('limits are per answer: thousands of heads on one connection are no long head', () => {
  const reader = new AnswerReader();
  const answer = `${CHUNKED}2\r\nhi\r\n0\r\nX-Sum: ${'1'.repeat(100)}\r\n\r\n`;
  for (let nth = 0; nth < 2_000; nth += 1) assert.equal(readAnswer([answer], { reader }).end, 'done');
});

test('a sink that leaves within a call is called no more', () => {
  for (const leaveAt of ['head', 'body']) {
    let told = 0;
    const sink = {
      isOver: false,
      onHead: () => {
        told += 1;
        sink.isOver = leaveAt === 'head';
      },
      onData: () => {
        told += 1;
        sink.isOver = true;
      },
    };
    const reader = new AnswerReader();
    reader.begin(false);
    const bytes = Buffer.from(`${CHUNKED}1\r\na\r\n0\r\n\r\n`);
    assert.equal(reader.read(bytes, bytes.length, false, sink), 'left');
    assert.equal(told, leaveAt === 'head' ? 1 : 2);
  }
});

const names = fc.constantFrom('X-A', 'server', 'Date', 'VARY', 'x-b');
const values = fc.stringMatching(/^(?:[!-~]|[!-~][ -~]{0,20}[!-~])?$/);
const bodies = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

/** A random answer as written by a well-behaved node, with the body that it carries. */
const answers = fc
  .record({
    interim: fc.integer({ min: 0, max: 2 }),
    status: fc.constantFrom(200, 201, 400, 404, 429, 500, 503),
    fields: fc.array(fc.tuple(names, values), { maxLength: 6 }),
    parts: fc.array(bodies, { maxLength: 6 }),
    isChunked: fc.boolean(),
    extension: fc.constantFrom('', ';a', ' ; b="c d"'),
    trailer: fc.constantFrom('', 'X-Sum: 1\r\n'),
  })
  .map(({ interim, status, fields, parts, isChunked, extension, trailer }) => {
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const body = parts.join('');
    const head = `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(interim)}HTTP/1.1 ${status} Said\r\n${lines}`;
    const chunks = parts
      .filter((part) => part !== '')
      .map((part) => `${part.length.toString(16)}${extension}\r\n${part}\r\n`);
    return {
      status,
      body,
      bytes: isChunked
        ? `${head}Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0${extension}\r\n${trailer}\r\n`
        : `${head}Content-Length: ${body.length}\r\n\r\n${body}`,
    };
  });

test('random answers, one after the other on one connection, split at random, are each read to the byte', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(answers, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 })), {
        maxLength: 4,
      }),
      fc.boolean(),
      (sequence, isLent) => {
        const reader = new AnswerReader();
        for (const [{ bytes, body, status }, cuts] of sequence) {
          const at = cuts.map((cut) => Math.floor(cut * bytes.length)).toSorted((a, b) => a - b);
          const pieces = [0, ...at].map((from, index) => bytes.slice(from, at[index]));
          const read = readAnswer(pieces, { reader, isLent });
          assert.deepEqual([read.end, read.status, read.body, read.keepsAlive], ['done', status, body, true]);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('whatever bytes come, they are judged without an exception, and split or whole alike', () => {
  const alphabet = fc.constantFrom(
    '\r',
    '\n',
    '\r\n',
    ' ',
    ':',
    ';',
    '0',
    '5',
    'a',
    'X: y\r\n',
    'Content-Length: 3\r\n',
    'Transfer-Encoding: chunked\r\n',
    'HTTP/1.1 200 OK\r\n',
    '\0',
    '3\r\nabc\r\n',
    '0\r\n\r\n',
  );
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 12 }), (parts) => {
      const bytes = `HTTP/1.1 200 OK\r\n${parts.join('')}`;
      const whole = readAnswer([bytes]);
      const split = readAnswer(bytes.split(''));
      assert.deepEqual([split.end, split.fault, split.status], [whole.end, whole.fault, whole.status]);
      if (whole.end !== 'garbage') assert.equal(split.body, whole.body);
    }),
    { numRuns: 2_000 },
  );
});
