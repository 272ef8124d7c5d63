import type { SeedRow } from './seed-row.ts';
import { seedRowsOfWaiting } from './seed-rows-of-waiting.ts';

// The seed tasks of the project and what makes each true. tools/write-docs.ts makes the table of docs/progress.md from it;
// mutations.ts applies every mutation to a copy of the checkout and must see the named test fail.

const PROVIDERS_POOLED =
  'the providers behind the three prefixes are reached over the shared client, each on one reused socket';

export const seedRows: readonly SeedRow[] = [
  {
    task: 'T001',
    asks: 'the shape of the shared application state and of the balancer is known',
    proofs: [
      {
        file: 'src/app-state.ts',
        testFile: 'src/app-state.test.ts',
        testName: 'AppState starts every part and stops them in reverse, letting a running answer finish',
        mutation: { find: 'await Promise.all([dataPlane.drain(limitMs), relayThreads?.drain(limitMs)]);', replace: '' },
      },
    ],
  },
  {
    task: 'T002, T003',
    asks: '`AppState` holds one shared `httpClient`, and everything uses it',
    proofs: [
      {
        file: 'src/app-state.ts',
        testFile: 'test/router/app-state-has-a-shared-http-client.test.ts',
        testName: 'AppState has a shared HTTP client',
        mutation: { find: '    httpClient,', replace: '    httpClient: createHttpClient(settings.pool, clock),' },
      },
    ],
  },
  ...seedRowsOfWaiting,
  {
    task: 'T015',
    asks: 'the client is built once: at most 32 idle connections a node, idle time-out, TCP keep-alive',
    proofs: [
      {
        file: 'src/http-client/node-pool.ts',
        testFile: 'src/http-client/node-pool.test.ts',
        testName: 'after a burst of 120 at most 32 idle connections remain',
        mutation: { find: 'this.#idle.length >= this.#options.maxIdlePerNode', replace: 'this.#idle.length >= 120' },
      },
      {
        file: 'src/http-client/idle-limit.ts',
        testFile: 'src/http-client/idle-limit.test.ts',
        testName: 'an idle socket is trusted for the configured time while nothing else was seen',
        mutation: { find: 'Math.min(this.#configuredMs, this.#learnedMs)', replace: 'this.#learnedMs' },
      },
    ],
  },
  {
    task: 'T016',
    asks: 'the proxy path (`/api/chat`, `/api/generate`) uses the shared client',
    proofs: [
      {
        file: 'src/app-state.ts',
        testFile: 'test/router/every-inference-path-waits-and-is-refused-alike.test.ts',
        testName: 'every inference path goes out over the shared client, all on one reused socket',
        mutation: { find: '    httpClient,', replace: '    httpClient: createHttpClient(settings.pool, clock),' },
      },
    ],
  },
  {
    task: 'T017',
    asks: 'the OpenAI path uses the shared client: local nodes, and the cloud providers behind `openai:`, `google:`, `anthropic:`',
    proofs: [
      {
        file: 'src/http-client/http-client.ts',
        testFile: 'test/router/every-inference-path-waits-and-is-refused-alike.test.ts',
        testName: 'every inference path goes out over the shared client, all on one reused socket',
        mutation: { find: 'pools.set(target.pool, pool);', replace: '' },
      },
      {
        file: 'src/http-client/node-pool.ts',
        testFile: 'test/router/app-state-has-a-shared-http-client.test.ts',
        testName: 'what the requests of every dialect use is that client: its pool reuses one socket for all of them',
        mutation: { find: 'this.#idle.push(connection);', replace: '' },
      },
      {
        file: 'src/fleet/offered-models.ts',
        testFile: 'test/router/cloud-providers-are-nodes.test.ts',
        testName: PROVIDERS_POOLED,
        mutation: {
          find: 'return prefix !== null && snapshot.models.has(prefix) ? prefix : model;',
          replace: 'return model;',
        },
      },
      {
        file: 'src/fleet/engine-requests.ts',
        testFile: 'test/router/cloud-providers-are-nodes.test.ts',
        testName: PROVIDERS_POOLED,
        mutation: { find: "engine === 'google' && path.startsWith('/v1/')", replace: 'path.length < engine.length' },
      },
    ],
  },
  {
    task: 'T018',
    asks: 'the models API uses the shared client: catalogue, pull, distribution',
    proofs: [
      {
        file: 'src/control-plane/models/catalogue.ts',
        testFile: 'test/models/the-catalogue-is-searched-on-a-hub.test.ts',
        testName: 'a search goes to the hub once over the shared client, and its answer is kept',
        mutation: { find: 'pool: POOL,', replace: 'pool: key,' },
      },
      {
        file: 'src/control-plane/model-tasks.ts',
        testFile: 'test/models/a-pull-is-followed-to-its-end.test.ts',
        testName:
          'a pull goes out over the shared client, shows how far it is, and when it is done requests can use the model',
        mutation: {
          find: 'const called = { target,',
          replace: "const called = { target: { ...target, pool: 'another' },",
        },
      },
      {
        file: 'src/control-plane/models/distribution.ts',
        testFile: 'test/models/models-are-distributed.test.ts',
        testName: 'a model goes to the nodes of a tag that lack it, and who is left out is told why',
        mutation: { find: 'tags.some((tag) => node.tags.includes(tag))', replace: 'true' },
      },
    ],
  },
  {
    task: 'T019',
    asks: 'the nodes API uses the shared client: the health probe on registration',
    proofs: [
      {
        file: 'src/control-plane/nodes/node-fleet.ts',
        testFile: 'src/control-plane/control-plane.test.ts',
        testName: 'a node added through the API is in force when the 201 comes, and there after a restart',
        mutation: { find: 'await this.#loops.get(node.id)?.probeNow();', replace: '' },
      },
      {
        file: 'src/control-plane/model-tasks.ts',
        testFile: 'test/models/models-are-distributed.test.ts',
        testName: 'a node that joins and lacks a model of a rule is given it, another is not',
        mutation: { find: "this.tasks.start({ ...order, origin: 'rule', distribution: null });", replace: '' },
      },
    ],
  },
  {
    task: 'T020',
    asks: "the logs API uses the shared client: a node's logs, read through the router",
    proofs: [
      {
        file: 'src/control-plane/node-calls.ts',
        testFile: 'src/control-plane/api/logs.test.ts',
        testName: "a node's log is read through the shared client: the newest lines, scrubbed, with the node's own key",
        mutation: {
          find: 'return { target: targetOf(node, connectMs), path, headers: headersOf(node) };',
          replace:
            'return { target: { ...targetOf(node, connectMs), pool: "another" }, path, headers: headersOf(node) };',
        },
      },
    ],
  },
  {
    task: 'T021',
    asks: 'every inference path admits by `admissionControl` and waits by `waitForReadyWithTimeout`',
    proofs: [
      {
        file: 'src/data-plane/request.ts',
        testFile: 'test/router/every-inference-path-waits-and-is-refused-alike.test.ts',
        testName:
          'every inference path waits for a slot, times out after its wait, and is refused when the room is full',
        mutation: {
          find: 'port.waitForReadyWithTimeout(ticket,',
          replace: 'port.waitForReadyWithTimeout({ ...ticket, readmitted: true },',
        },
      },
    ],
  },
  {
    task: 'T022',
    asks: 'formatting and lint are clean, with warnings as errors',
    proofs: [
      {
        file: 'tools/quality/steps.ts',
        testFile: 'tools/quality/steps.test.ts',
        testName: 'formatting is checked, not repaired, and a lint warning is an error',
        mutation: { find: "'--deny-warnings', ", replace: '' },
      },
    ],
  },
  {
    task: 'T023',
    asks: 'all tests pass',
    proofs: [
      {
        file: 'tools/quality/steps.ts',
        testFile: 'tools/quality/steps.test.ts',
        testName: 'the tests that quality runs are those of npm test',
        mutation: { find: "['--run', 'test']", replace: "['--test', 'src/lib']" },
      },
    ],
  },
  {
    task: 'T024',
    asks: '`npm run quality` runs every check',
    proofs: [
      {
        file: 'tools/quality/steps.ts',
        testFile: 'tools/quality/steps.test.ts',
        testName: 'one command runs every check',
        mutation: { find: '[staticChecks, tests], [seedRows]', replace: '[staticChecks, tests]' },
      },
    ],
  },
  {
    task: 'T025',
    asks: 'this table: for each row the file and the test that make it true',
    proofs: [
      {
        file: 'tools/quality/mutations.ts',
        testFile: 'tools/quality/mutations.test.ts',
        testName: 'a test that passes with the mutation is reported',
        mutation: { find: '=> !passed)', replace: '=> passed)' },
      },
      {
        file: 'tools/docs/progress-table.ts',
        testFile: 'tools/docs/progress-table.test.ts',
        testName: 'each proof is a line, and what is not there yet says so',
        mutation: { find: 'if (later === undefined) return proven;', replace: 'return proven;' },
      },
    ],
  },
];
