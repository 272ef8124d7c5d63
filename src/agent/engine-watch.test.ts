import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineWatch, type SeenEngine } from './engine-watch.ts';

function seen(url: string): SeenEngine {
  return { url, kind: 'ollama', version: '1' };
}

function watch(url: string | null): { engine: EngineWatch; there: Set<string>; searches: () => number } {
  const there = new Set<string>();
  let searches = 0;
  const engine = new EngineWatch({
    url,
    probe: (at) => Promise.resolve(there.has(at) ? seen(at) : null),
    search: () => {
      searches += 1;
      return Promise.resolve([...there].map(seen));
    },
  });
  return { engine, there, searches: () => searches };
}

test('an engine is looked for until there is one, and again where it no longer answers', async () => {
  const { engine, there, searches } = watch(null);
  assert.equal(await engine.look(), null);
  there.add('http://127.0.0.1:11434');
  assert.equal((await engine.look())?.url, 'http://127.0.0.1:11434');
  assert.equal((await engine.look())?.isReachable, true);
  assert.equal(searches(), 2, 'one that answers is not looked for');
  there.clear();
  const away = await engine.look();
  assert.deepEqual([away?.url, away?.isReachable], ['http://127.0.0.1:11434', false]);
  there.add('http://127.0.0.1:8000');
  assert.equal((await engine.look())?.url, 'http://127.0.0.1:8000');
});

test('an address that was given is taken as it is, and nothing is looked for', async () => {
  const { engine, there, searches } = watch('http://gpu:1');
  there.add('http://127.0.0.1:11434');
  const away = await engine.look();
  assert.deepEqual([away?.url, away?.isReachable, searches()], ['http://gpu:1', false, 0]);
  there.add('http://gpu:1');
  assert.equal((await engine.look())?.kind, 'ollama');
});
