import assert from 'node:assert/strict';
import { MessageChannel } from 'node:worker_threads';
import { loadSettings } from '../../src/config/load-settings.ts';
import { startControlPlane } from '../../src/control-plane/control-plane.ts';
import type { ToControlPlane, ToDataPlane } from '../../src/fleet/messages.ts';
import type { Settings } from '../../src/fleet/settings.ts';
import type { Overrides } from '../../src/fleet/settings-report.ts';
import { emptySnapshot, type FleetSnapshot } from '../../src/fleet/snapshot.ts';
import type { Gauges } from '../../src/fleet/telemetry.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { until } from './until.ts';

// A control plane on this thread, with a test in the data plane's place at the other end of its port.

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined where it is none. */
  readonly json: unknown;
}

export interface TestControlPlane extends AsyncDisposable {
  readonly messages: readonly ToDataPlane[];
  readonly adminUrl: string;
  /** The snapshot in force: the last one sent. */
  snapshot(): FleetSnapshot;
  send(message: ToControlPlane): void;
  /** Calls the admin API with its token; `headers` may replace it. */
  api(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiAnswer>;
  /** Resolves when the node of that name is in that state in the snapshot in force. */
  nodeIs(name: string, state: string): Promise<void>;
}

export interface TestControlPlaneOptions {
  readonly resume?: FleetSnapshot | null;
  /** What the data plane answers when asked; null: nothing. */
  readonly gauges?: Gauges | null;
  /** False: the data plane takes snapshots and never says so. */
  readonly applies?: boolean;
}

/** Rejects where the control plane tells `failed`, with its message. */
export async function startTestControlPlane(
  settings: Settings,
  { resume = null, gauges = idleGauges, applies = true }: TestControlPlaneOptions = {},
): Promise<TestControlPlane> {
  const { port1: here, port2: there } = new MessageChannel();
  const messages: ToDataPlane[] = [];
  let snapshot = resume ?? emptySnapshot;
  let token = settings.admin.token;
  const send = (message: ToControlPlane): void => here.postMessage(message);
  const judge = async (question: number, overrides: Overrides): Promise<void> => {
    const loaded = await loadSettings({
      configFile: null,
      flags: new Map(),
      nodes: [],
      env: {},
      cwd: settings.dataDir,
      overrides: new Map(Object.entries(overrides)),
      now: systemClock.wall(),
    });
    send({ kind: 'overrides-judged', question, problems: 'problems' in loaded ? loaded.problems : [] });
  };
  here.on('message', (message: ToDataPlane) => {
    messages.push(message);
    if (message.kind === 'started') token = message.adminToken ?? token;
    if (message.kind === 'snapshot') {
      snapshot = message.snapshot;
      if (applies) send({ kind: 'applied', version: snapshot.version });
    }
    if (message.kind === 'overrides?') void judge(message.question, message.overrides);
    if (message.kind === 'gauges?' && gauges) send({ kind: 'gauges', question: message.question, gauges });
  });
  const plane = await startControlPlane({ settings, resume, startedAt: systemClock.wall() }, there, systemClock);
  if (!plane) {
    const failed = await until(() => messages.find(({ kind }) => kind === 'failed'), { what: 'the message failed' });
    here.close();
    throw new Error(failed.kind === 'failed' ? failed.message : 'no reason');
  }
  await until(() => messages.some(({ kind }) => kind === 'started'), { what: 'the message started' });
  return {
    messages,
    adminUrl: plane.adminUrl,
    snapshot: () => snapshot,
    send,
    api: async (method, path, body, headers = {}) => {
      const answer = await fetch(plane.adminUrl + path, {
        method,
        headers: { authorization: `Bearer ${token}`, ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, text, json: parse(text) };
    },
    nodeIs: async (name, state) => {
      const found = (): string | undefined => snapshot.nodes.find((node) => node?.name === name)?.state;
      await until(() => found() === state, { what: () => `node ${name} to be ${state} (it is ${found()})` });
    },
    [Symbol.asyncDispose]: async () => {
      await plane.stop();
      here.close();
    },
  };
}

export const idleGauges: Gauges = {
  openLeases: 0,
  waiters: 0,
  waitingBytes: 0,
  openRequests: 0,
  draining: false,
  settlementsDropped: 0,
  retryBudget: 10,
  nodes: [],
  models: [],
};

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The status, code and message with which the admin API refuses. */
export async function refusal(plane: TestControlPlane, method: string, path: string, body?: unknown): Promise<string> {
  const answer = await plane.api(method, path, body);
  const { code, message } = Object(Object(answer.json).error);
  assert.equal(typeof message, 'string', answer.text);
  return `${answer.status} ${code}: ${message}`;
}
