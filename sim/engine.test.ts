import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const COMMAND = fileURLToPath(new URL('engine.ts', import.meta.url));

test('the command prints its URL, serves what its flags say and stops on SIGTERM', async () => {
  const flags = ['--engine', 'ollama', '--model', 'a', '--model', 'b', '--slots', '2', '--time-scale', '50'];
  const child = spawn(process.execPath, [COMMAND, ...flags, '--fault', 'overloaded,times=1,retryAfterSeconds=9']);
  try {
    const [line] = await once(child.stdout, 'data');
    const url = /^ollama \(simulated\) listens on (http:\S+)\n$/.exec(String(line))?.[1] ?? '';
    assert.match(await (await fetch(`${url}/api/tags`)).text(), /"a:latest".*"b:latest"/);
    const ask = { method: 'POST', body: JSON.stringify({ model: 'a', prompt: 'say: hi', stream: false }) };
    const refused = await fetch(`${url}/api/generate`, ask);
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '9']);
    assert.match(await (await fetch(`${url}/api/generate`, ask)).text(), /"response":"hi"/);
  } finally {
    child.kill('SIGTERM');
  }
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});

test('a wrong flag is one sentence on stderr and exit code 2', () => {
  for (const [flags, said] of [
    [['--engine', 'tgi'], /^sim\/engine: --engine tgi: choose one of openai, ollama/],
    [['--slots', 'many'], /^sim\/engine: --slots many: write a number\n$/],
    [['--slots', '0'], /^sim\/engine: slots: 0 is not a number of at least 1\n$/],
    [['--fault', 'sleepy'], /^sim\/engine: --fault sleepy: not a fault: /],
    [['--output-tokens', 'x'], /write MIN-MAX/],
    [['--slot', '3'], /Unknown option '--slot'/],
  ] as const) {
    const { status, stderr } = spawnSync(process.execPath, [COMMAND, ...flags], { encoding: 'utf8' });
    assert.match(stderr, said);
    assert.equal(status, 2);
  }
});
