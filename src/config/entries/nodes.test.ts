import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadedFrom, problemsOf, settingsFrom } from '../../../test/support/load-config.ts';
import { deriveName } from './node-names.ts';

const pem = '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n';

test('every field of a node is read, and its certificates are read from their files', async (t) => {
  const { nodes } = await settingsFrom(t, {
    files: { 'ca.pem': pem, 'cert.pem': `${pem}c`, 'key.pem': `${pem}k` },
    yaml: `
nodes:
  - name: gpu-1
    url: "https://gpu-1/llm/v1"
    engine: vllm
    maxConcurrent: 16
    apiKey: 0123
    headers: { X-Team: a }
    models: [llama3, "qwen:7b"]
    timeouts: { connect: 1s, firstByte: 2m, betweenBytes: 500ms }
    tls: { ca: ca.pem, cert: cert.pem, key: key.pem, verify: false }
    tags: [site-a, gpu, gpu]
    memory: 24gb
    logsUrl: "http://gpu-1:8080/log?service=vllm"
`,
  });
  assert.deepEqual(nodes, [
    {
      name: 'gpu-1',
      url: 'https://gpu-1/llm/v1',
      engine: 'vllm',
      headers: { 'x-team': 'a' },
      maxConcurrent: 16,
      apiKey: '0123',
      models: { llama3: 'llama3', 'qwen:7b': 'qwen:7b' },
      timeouts: { connectMs: 1000, firstByteMs: 120_000, betweenBytesMs: 500 },
      tls: { ca: pem, cert: `${pem}c`, key: `${pem}k`, verify: false },
      tags: ['site-a', 'gpu'],
      memoryBytes: 24 * 1024 ** 3,
      logsUrl: 'http://gpu-1:8080/log?service=vllm',
    },
  ]);
});

test('nodes of the file, the variable and the flags add up, each with its origin', async (t) => {
  const { settings, origins } = await loadedFrom(t, {
    yaml: 'nodes:\n  - url: "http://a:1"\n',
    env: { WEIR_NODES: 'http://b:2, c=http://c:3' },
    nodes: ['http://d:4', 'e=http://[::1]:5/base'],
  });
  assert.deepEqual(
    settings.nodes.map(({ name, url }) => `${name} ${url}`),
    ['a-1 http://a:1', 'b-2 http://b:2', 'c http://c:3', 'd-4 http://d:4', 'e http://[::1]:5/base'],
  );
  assert.deepEqual(
    ['nodes.a-1', 'nodes.c', 'nodes.e'].map((path) => origins.get(path)),
    ['file:2', 'env:WEIR_NODES', 'flag'],
  );
});

test('a name made from the URL avoids every name that is taken, also by a later node', async (t) => {
  const { nodes } = await settingsFrom(t, { nodes: ['http://a:1', 'http://a:1/other', 'a-1=http://b:1'] });
  assert.deepEqual(
    nodes.map(({ name }) => name),
    ['a-1-2', 'a-1-3', 'a-1'],
  );
  assert.equal(deriveName('http://[::1]:11434', new Set()), '::1-11434');
  assert.equal(deriveName('https://api.example.com/v1', new Set()), 'api.example.com');
});

test('a name twice is an error, whatever the sources', async (t) => {
  const problems = await problemsOf(t, { yaml: 'nodes: [{ name: a, url: "http://a:1" }]', nodes: ['a=http://b:1'] });
  assert.deepEqual(problems, ['--node: the name "a" is taken by another node (weir.yaml:1); give this one another']);
});

test('a node given by flag that is no URL is refused with what to write', async (t) => {
  assert.deepEqual(await problemsOf(t, { nodes: ['localhost:11434', 'b c=http://a', 'ws://a:1', 'x=', 'http://'] }), [
    '--node: "localhost:11434" is not a URL; write it with http:// or https://, such as http://localhost:11434',
    '--node: "b c" is not a usable name; write 1 to 100 letters, digits or signs, no spaces',
    '--node: "ws://a:1" has the scheme ws; write http:// or https://',
    '--node: "" is not a URL; write it with http:// or https://, such as http://10.0.0.5:8000',
    '--node: "http://" is not a URL; write one such as http://10.0.0.5:8000',
  ]);
});

test('a file that is no certificate is refused', async (t) => {
  const yaml = 'nodes: [{ name: a, url: "https://a:1", tls: { ca: ca.pem } }]';
  const problems = await problemsOf(t, { files: { 'ca.pem': 'hello' }, yaml });
  assert.match(problems.join(), /^nodes\[0\]\.tls\.ca \(weir\.yaml:1\): "ca\.pem" is not a PEM file/);
});
