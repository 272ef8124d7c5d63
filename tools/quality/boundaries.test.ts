import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findBoundaryViolations } from './boundaries.ts';

function violations(path: string, text: string): string[] {
  return findBoundaryViolations([{ path, text }]);
}

const forbidden: readonly (readonly [string, string, RegExp])[] = [
  [
    'src/data-plane/request.ts',
    "import { x } from '../control-plane/control-plane.ts';",
    /data-plane\/ may import only/,
  ],
  [
    'src/control-plane/api/nodes.ts',
    "import { x } from '../../data-plane/request.ts';",
    /control-plane\/ may import only/,
  ],
  ['src/data-plane/relay/sse.ts', "import type { X } from '../../control-plane/x.ts';", /data-plane\/ may import only/],
  ['src/data-plane/relay/sse.ts', "import { x } from '../dispatcher/ledger.ts';", /relay → dispatcher/],
  ['src/data-plane/relay/sse.ts', "import { x } from '../api/openai.ts';", /only types from api/],
  ['src/data-plane/balancer/score.ts', "import { x } from '../dispatcher/ledger.ts';", /balancer → dispatcher/],
  ['src/data-plane/balancer/policies/a.ts', "import { x } from '../../dispatcher/ledger.ts';", /balancer → dispatcher/],
  ['src/data-plane/http/server.ts', "import { x } from '../request.ts';", /only types from the files that compose it/],
  ['src/data-plane/request.ts', "import { x } from '../config/load.ts';", /data-plane\/ may import only/],
  ['src/data-plane/newroom/a.ts', "import { x } from '../relay/sse.ts';", /has no rule yet/],
  ['src/control-plane/nodes/health.ts', "import { x } from '../engines/ollama.ts';", /nodes → engines/],
  ['src/control-plane/nodes/health.ts', "export { x } from '../store/nodes.ts';", /nodes → store/],
  ['src/lib/ring.ts', "import { x } from '../fleet/errors.ts';", /lib\/ may import only lib\//],
  ['src/fleet/errors.ts', "import { x } from '../config/load.ts';", /fleet\/ may import only/],
  ['src/http-client/http-client.ts', "import { x } from '../data-plane/request.ts';", /http-client\/ may import only/],
  ['src/config/load.ts', "import { x } from '../app-state.ts';", /config\/ may import only/],
  ['src/other/a.ts', "import { x } from '../lib/clock.ts';", /has no rule yet/],
  ['src/lib/ring.ts', "import '../../tools/build.ts';", /nothing from outside src/],
  ['src/fleet/errors.ts', "const late = await import('../config/load.ts');", /fleet\/ may import only/],
  [
    'src/data-plane/request.ts',
    "new Worker(new URL('../control-plane/worker.ts', import.meta.url));",
    /may import only/,
  ],
  ['src/data-plane/relay/sse.ts', "import {\n  a,\n  b,\n} from '../attempt/attempt.ts';", /relay → attempt/],
];

for (const [path, text, why] of forbidden) {
  test(`${path} may not say: ${text.replaceAll('\n', ' ')}`, () => {
    const found = violations(path, text);
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0] ?? '', why);
    assert.ok(found[0]?.startsWith(`${path}:1: `), found[0]);
  });
}

const allowed: readonly (readonly [string, string])[] = [
  ['src/app-state.ts', "import { x } from './data-plane/request.ts';\nimport { y } from './config/load.ts';"],
  ['src/cli/serve.ts', "import { x } from '../config/load.ts';\nconst app = await import('../app-state.ts');"],
  [
    'src/data-plane/request.ts',
    "import { x } from './relay/sse.ts';\nimport { y } from '../http-client/http-client.ts';",
  ],
  ['src/data-plane/dispatcher/dispatcher.ts', "import { x } from '../balancer/cached-selection.ts';"],
  ['src/data-plane/relay/relay.ts', "import type { X } from '../api/dialect.ts';\nimport { y } from './sse.ts';"],
  ['src/data-plane/balancer/policies/a.ts', "import { x } from '../score.ts';"],
  [
    'src/control-plane/api/nodes.ts',
    "import { x } from '../nodes/registry.ts';\nimport { y } from '../store/nodes.ts';",
  ],
  ['src/control-plane/nodes/health.ts', "import type { Probe } from '../probe.ts';"],
  ['src/control-plane/control-plane.ts', "import { x } from './nodes/registry.ts';"],
  ['src/control-plane/nodes/health.ts', "import { x } from '../../http-client/http-client.ts';\nimport 'node:fs';"],
  ['src/data-plane/relay/sse.test.ts', "import { x } from '../../../test/support/until.ts';"],
  ['tools/build.ts', "import { x } from '../src/control-plane/control-plane.ts';"],
];

for (const [path, text] of allowed) {
  test(`${path} may say: ${text.replaceAll('\n', ' ')}`, () => {
    assert.deepEqual(violations(path, text), []);
  });
}

test('a violation is reported at the line of its import', () => {
  const [found = ''] = violations(
    'src/lib/ring.ts',
    "// first\nimport { a } from './a.ts';\nimport { b } from '../cli/b.ts';\n",
  );
  assert.match(found, /^src\/lib\/ring\.ts:3: imports \.\.\/cli\/b\.ts/);
});

test('rooms may share words that lie in a file of their plane which imports no room', () => {
  const room = { path: 'src/control-plane/nodes/health.ts', text: "import { none } from '../probe.ts';" };
  const probe = (text: string): string[] =>
    findBoundaryViolations([room, { path: 'src/control-plane/probe.ts', text }]);
  assert.deepEqual(probe("import type { X } from '../fleet/errors.ts';\nimport 'node:fs';"), []);
  assert.equal(probe("import { x } from './store/nodes.ts';").length, 1);
});

test('node:http is not taken by the way round its import, but in the one file for it', () => {
  const text = "const http = process.getBuiltinModule('node:http');";
  assert.match(violations('src/data-plane/attempt/a.ts', text)[0] ?? '', /takes node:http by getBuiltinModule/);
  assert.deepEqual(violations('src/lib/node-http.ts', text), []);
});
