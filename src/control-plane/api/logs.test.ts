import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestControlPlane, type TestControlPlane } from '../../../test/support/control-plane.ts';
import type { Scripted } from '../../../test/support/scripted-answers.ts';
import { scriptedNode } from '../../../test/support/scripted-node.ts';
import { testSettings } from '../../../test/support/settings.ts';
import { until } from '../../../test/support/until.ts';
import type { NodeSettings } from '../../fleet/settings.ts';

function entry(url: string, more: Partial<NodeSettings> = {}): NodeSettings {
  return { name: 'a', url, engine: 'openai', headers: {}, ...more };
}

async function read(
  plane: TestControlPlane,
  path: string,
): Promise<{ status: number; data: unknown[]; more: unknown }> {
  const { status, json } = await plane.api('GET', path);
  const { data, error, truncated } = Object(json);
  return { status, data, more: error ?? truncated };
}

/** A file server that knows ranges. */
const file =
  (text: string): Scripted =>
  ({ headers }, { response }) => {
    const bytes = Buffer.from(text);
    const last = Number(/^bytes=-(\d+)$/.exec(headers.range ?? '')?.[1]);
    const from = Math.max(0, bytes.length - last);
    response.writeHead(206, { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` });
    response.end(bytes.subarray(from));
  };

test("a node's log is read through the shared client: the newest lines, scrubbed, with the node's own key", async () => {
  const lines = Array.from({ length: 300 }, (_, at) => `line ${at} Bearer the-key-of-node-a`);
  await using node = await scriptedNode({ paths: { '/log': file(`${lines.join('\n')}\n`) } });
  const settings = entry(node.url, { logsUrl: `${node.url}/log?unit=a`, apiKey: 'the-key-of-node-a' });
  await using plane = await startTestControlPlane(testSettings({ nodes: [settings] }));
  await plane.nodeIs('a', 'ready');
  const opened = node.sockets().opened;
  const answer = await read(plane, '/api/nodes/a/logs?tail=2');
  assert.deepEqual(answer, { status: 200, data: ['line 298 Bearer ***', 'line 299 Bearer ***'], more: true });
  const asked = node.requests.find(({ path }) => path.startsWith('/log'));
  assert.deepEqual([asked?.path, asked?.headers.authorization], ['/log?unit=a', 'Bearer the-key-of-node-a']);
  assert.equal(node.sockets().opened, opened, 'the log came over the socket that the probes had opened');
  assert.deepEqual((await read(plane, '/api/nodes/a/logs?tail=2000')).data.length, 300);
  assert.equal((await read(plane, '/api/nodes/a/logs?tail=2000')).more, false);
});

test("another server than the node's is not given the node's key, and one without ranges is read to its end", async () => {
  const text = Array.from({ length: 60_000 }, (_, at) => `${at} of a log that is longer than what is kept`).join('\n');
  await using logs = await scriptedNode({
    paths: { '/log': (_request, { response }) => void response.end(text) },
  });
  await using node = await scriptedNode();
  const settings = entry(node.url, { logsUrl: `${logs.url}/log`, apiKey: 'secret', headers: { 'x-secret': 'secret' } });
  await using plane = await startTestControlPlane(testSettings({ nodes: [settings] }));
  const { data, more } = await read(plane, '/api/nodes/a/logs?tail=1');
  assert.deepEqual([data, more], [['59999 of a log that is longer than what is kept'], true]);
  const [asked] = logs.requests;
  assert.deepEqual([asked?.headers.authorization, asked?.headers['x-secret']], [undefined, undefined]);
});

test('a node that offers no log, one whose log cannot be read and one that is not there are told apart', async () => {
  await using node = await scriptedNode();
  const at = (name: string, logsUrl?: string): NodeSettings => ({
    ...entry(node.url),
    name,
    ...(logsUrl === undefined ? {} : { logsUrl }),
  });
  const nodes = [at('none'), at('missing', `${node.url}/nope`), at('away', 'http://127.0.0.1:1/log')];
  await using plane = await startTestControlPlane(testSettings({ nodes }));
  const told = async (name: string): Promise<string> => {
    const { status, more } = await read(plane, `/api/nodes/${name}/logs`);
    return `${status} ${Object(more).code}: ${Object(more).message}`;
  };
  assert.match(await told('none'), /^409 log_not_offered: .*Set its logsUrl/);
  assert.match(await told('missing'), /^502 log_unreadable: .*answered 404.*Check its logsUrl/);
  assert.match(await told('away'), /^502 log_unreadable: .*ECONNREFUSED/);
  assert.match(await told('nobody'), /^404 not_found/);
});

test("the router's own log is filtered by level, scrubbed, and a wrong question is told", async () => {
  await using plane = await startTestControlPlane(testSettings());
  const log = (level: 'info' | 'warn' | 'error', message: string): void =>
    plane.send({ kind: 'log', level, message, detail: {} });
  log('info', 'one');
  log('warn', 'two with Bearer abcdefghijkl');
  log('error', 'three');
  const messages = async (query: string): Promise<unknown[]> =>
    (await read(plane, `/api/logs?${query}`)).data.map((line) => Object(line).message);
  await until(async () => (await messages('tail=9')).includes('three'), { what: 'the lines' });
  assert.deepEqual(await messages('tail=9&level=warn'), ['two with Bearer ***', 'three']);
  assert.deepEqual(await messages('tail=1&level=info'), ['three']);
  assert.equal((await read(plane, '/api/logs?level=loud')).status, 400);
  assert.equal((await read(plane, '/api/logs?follow=maybe')).status, 400);
});

test('following gives the newest lines and then each that comes, until the follower leaves', async () => {
  await using plane = await startTestControlPlane(testSettings());
  plane.send({ kind: 'log', level: 'warn', message: 'before', detail: {} });
  await until(async () => (await read(plane, '/api/logs?level=warn')).data.length === 1, { what: 'the first line' });
  const leaving = new AbortController();
  const answer = await fetch(`${plane.adminUrl}/api/logs?follow=1&level=warn`, {
    headers: { authorization: 'Bearer test-token' },
    signal: leaving.signal,
  });
  assert.equal(answer.headers.get('content-type'), 'text/event-stream');
  let text = '';
  const reading = (async () => {
    for await (const chunk of answer.body ?? []) text += Buffer.from(chunk).toString();
  })();
  const seen = (): unknown[] =>
    Array.from(text.matchAll(/^data: (.*)$/gm), ([, line]) => Object(JSON.parse(line ?? '')).message);
  await until(() => seen().length === 1, { what: 'the line there was' });
  plane.send({ kind: 'log', level: 'info', message: 'too quiet', detail: {} });
  plane.send({ kind: 'log', level: 'error', message: 'after', detail: {} });
  await until(() => seen().length === 2, { what: 'the line that came' });
  assert.deepEqual(seen(), ['before', 'after']);
  leaving.abort();
  await assert.rejects(reading);
});

test('at most 16 follow at a time, and one who leaves makes room', async () => {
  await using plane = await startTestControlPlane(testSettings());
  const follow = async (signal: AbortSignal): Promise<number> => {
    const headers = { authorization: 'Bearer test-token' };
    return (await fetch(`${plane.adminUrl}/api/logs?follow=1`, { headers, signal })).status;
  };
  const leaving = new AbortController();
  const first = Array.from({ length: 16 }, () => follow(leaving.signal));
  assert.deepEqual([...new Set(await Promise.all(first))], [200]);
  const other = new AbortController();
  assert.equal(await follow(other.signal), 429);
  leaving.abort();
  await until(async () => (await follow(other.signal)) === 200, { what: 'room for another' });
  other.abort();
});
