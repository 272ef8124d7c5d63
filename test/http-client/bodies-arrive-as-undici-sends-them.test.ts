import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { Client } from 'undici';
import { bodyOf } from '../support/paced-body.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { clientOf, post, targetOf } from '../support/test-client.ts';

test('a body in pieces arrives as undici sends the same pieces', async (context) => {
  await using node = await scriptedNode();
  using client = clientOf();
  const undici = new Client(node.url);
  context.after(() => undici.destroy());
  const piece = fc
    .oneof({ weight: 3, arbitrary: fc.nat(40) }, { weight: 1, arbitrary: fc.nat(200_000) })
    .map((length) => Buffer.alloc(length, '0\r\n\r\n'));
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 6 }), fc.boolean(), async (pieces, isChunked) => {
      const ours = await post(client, targetOf(node.url), { body: bodyOf(pieces, isChunked) });
      const length = pieces.reduce((sum, { length: bytes }) => sum + bytes, 0);
      const theirs = await undici.request({
        method: 'POST',
        path: '/x',
        body: Readable.from(pieces, { objectMode: false }),
        headers: isChunked ? {} : { 'content-length': String(length) },
      });
      await theirs.body.dump();
      const [mine, other] = node.requests.slice(-2);
      assert.deepEqual([ours.status, theirs.statusCode], [200, 200]);
      assert.ok(mine && other && mine.body.equals(other.body));
      // Of nothing undici tells the length that it finds out; both may.
      if (length === 0 && isChunked) return;
      for (const name of ['content-length', 'transfer-encoding']) assert.equal(mine.headers[name], other.headers[name]);
    }),
    { numRuns: 60 },
  );
});
