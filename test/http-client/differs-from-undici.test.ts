import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'undici';
import { garbage, wellFormed } from '../support/raw-answers.ts';
import { rawNode } from '../support/raw-node.ts';
import { clientOf, failureOf, post, targetOf } from '../support/test-client.ts';

// The same raw answers, read by our client and by undici. Where the two differ, the table says who is right and why; a new
// difference fails, and so does one that is gone.

/** By the name of the answer. `undici`: what undici makes of it. */
const differences: ReadonlyMap<string, { readonly undici: string; readonly why: string }> = new Map([
  ['one length said twice in a line', { undici: 'refused', why: 'both may, RFC 9112, 6.3; we close the connection' }],
  ['one length said in two lines', { undici: 'refused', why: 'both may, RFC 9112, 6.3; we close the connection' }],
  [
    'white space round a value',
    { undici: 'refused', why: 'we are right, RFC 9112, 5.1: tabs round a value are no part of it' },
  ],
  [
    'blanks before an extension',
    { undici: 'refused', why: 'we are right, RFC 9112, 7.1.1: they are bad but to be read' },
  ],
  ['trailers', { undici: 'refused', why: 'we are right, RFC 9110, 6.5.1: what a trailer may not say is ignored' }],
  [
    'continue before the answer',
    { undici: 'refused', why: 'we are right, RFC 9110, 15.2: not asked for, it is still to be passed over' },
  ],
  ['an empty line first', { undici: '200 hi', why: 'we are right: only servers may skip one, RFC 9112, 2.2' }],
  [
    'a status beyond 599',
    { undici: '600 ', why: 'both may, RFC 9110, 15: it counts as a server error, which for us ends the same way' },
  ],
  [
    'an unknown coding',
    {
      undici: '200 hello',
      why: 'we are stricter: we ask for no coding, so what follows is not the body as it was meant',
    },
  ],
  ['a second coding', { undici: '200 ', why: 'we are stricter: the chunks hold a coded body that we did not ask for' }],
  ['chunks twice', { undici: '200 ', why: 'we are right, RFC 9112, 6.1: never more than once' }],
  ['a coding of nothing', { undici: '200 hello', why: 'we are stricter: how the body ends was not said' }],
  [
    'a coding with something before it',
    {
      undici: '200 0\r\n\r\n',
      why: 'we are stricter: a misspelt coding read until the end gives the chunks’ framing as text',
    },
  ],
  ['a coding in HTTP/1.0', { undici: '200 ', why: 'we are right, RFC 9112, 6.1: the framing is faulty' }],
  ['a chunk size of too many digits', { undici: '200 hello', why: 'both may: it is a limit' }],
  ['an extension too long', { undici: '200 hello', why: 'both may: it is a limit' }],
  ['interim answers without end', { undici: '200 ', why: 'both may: it is a limit' }],
]);

type Read = (url: string) => Promise<string>;

const byUs: Read = async (url) => {
  using client = clientOf();
  const answer = post(client, targetOf(url));
  const failure = await failureOf(answer);
  if (failure !== 'none') return 'refused';
  const { status, body } = await answer;
  return `${status} ${body.toString('latin1')}`;
};

const byUndici: Read = async (url) => {
  const client = new Client(url);
  try {
    const { statusCode, body } = await client.request({ method: 'POST', path: '/x', body: 'hi' });
    return `${statusCode} ${Buffer.from(await body.arrayBuffer()).toString('latin1')}`;
  } catch {
    return 'refused';
  } finally {
    await client.destroy();
  }
};

for (const [what, answer] of [...wellFormed, ...garbage]) {
  const difference = differences.get(what);
  const name = difference ? `unlike undici (${difference.why})` : 'as undici does';
  test(`${what}: read ${name}`, async () => {
    // Closed behind the answer, so that neither waits for more of one that says too much of its length.
    await using node = await rawNode((_piece, { socket }) => void socket.end(Buffer.from(answer, 'latin1')));
    const [ours, theirs] = [await byUs(node.url), await byUndici(node.url)];
    if (difference) {
      assert.equal(theirs, difference.undici, 'undici');
      assert.notEqual(ours, theirs);
    } else assert.equal(ours, theirs);
  });
}
