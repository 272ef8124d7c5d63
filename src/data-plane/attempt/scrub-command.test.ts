import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scrubCommandJson, scrubCommandText } from './scrub-command.ts';

const node = { baseUrl: 'http://10.1.2.3:18437', name: 'rack-b7', apiKey: 'sk-of-the-node' };

test('paths go as addresses do, and what is said beside them stays', () => {
  const cases: [string, string][] = [
    ['open /root/.ollama/models/blobs/sha256-6a07: permission denied', 'open [path] permission denied'],
    ['open "/models": no space', 'open "[path]": no space'],
    ['mkdir ~/.ollama/models failed', 'mkdir [path] failed'],
    ['rename C:\\Users\\ann\\.ollama\\x, D:/models/y', 'rename [path], [path]'],
    ['\\\\fileserver\\models\\x is away', '[path] is away'],
    ['/home/zoë/モデル/x: read-only', '[path] read-only'],
    ['dial tcp 10.1.2.3:18437 on rack-b7 with sk-of-the-node', 'dial tcp [address] on [node] with [key]'],
  ];
  for (const [text, clean] of cases) assert.equal(scrubCommandText(text, node), clean);
});

test('progress, models and digests stay as they are', () => {
  const texts = [
    'pulling 6a0746a1ec1a',
    `sha256:${'6a0746a1'.repeat(8)}`,
    'verifying sha256 digest',
    "model 'hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M' not found",
    'library/llama3.2:3b, 40 MB/s, 3/4 done, and/or',
    'success',
  ];
  for (const text of texts) assert.equal(scrubCommandText(text, node), text);
});

test('every text of an object is scrubbed, whatever lies around it, and numbers pass', () => {
  const told = scrubCommandJson(
    { status: 'on rack-b7', total: 12, layers: [{ path: '/srv/x' }, null, true], '/etc/x': 'sha256:6a0746a1ec1a' },
    node,
  );
  assert.deepEqual(told, {
    status: 'on [node]',
    total: 12,
    layers: [{ path: '[path]' }, null, true],
    '[path]': 'sha256:6a0746a1ec1a',
  });
  const deep: unknown = JSON.parse(`${'['.repeat(200)}"rack-b7"${']'.repeat(200)}`);
  assert.doesNotMatch(JSON.stringify(scrubCommandJson(deep, node)), /rack/);
});
