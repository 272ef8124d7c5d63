import { startApp, type AppState } from '../../src/app-state.ts';
import type { FoundNode } from '../../src/cli/app.ts';
import type { Settings } from '../../src/fleet/settings.ts';
import { type DeepPartial, testSettings } from './settings.ts';

// A whole router, both planes, in this process: as `weir serve` starts it, without the command line.

export interface TestRouter extends AsyncDisposable {
  readonly app: AppState;
  readonly url: string;
  readonly adminUrl: string;
  /** Where agents join; empty where `agents.listen` is not set. */
  readonly agentsUrl: string;
  /** What was found when the first probes had finished. */
  readonly settled: Promise<readonly FoundNode[]>;
  admin(path: string, init?: RequestInit): Promise<Response>;
  /** The JSON of an admin answer. */
  adminJson(path: string, init?: RequestInit): Promise<unknown>;
  /** The `data` of an admin list. */
  adminList(path: string): Promise<readonly unknown[]>;
  /** A chat request as a client sends it. */
  chat(body?: object, init?: RequestInit): Promise<Response>;
}

export function nodeSettings(
  name: string,
  url: string,
  more: Partial<Settings['nodes'][number]> = {},
): Settings['nodes'][number] {
  return { name, url, engine: 'auto', headers: {}, ...more };
}

export async function startRouter(overrides: DeepPartial<Settings> = {}): Promise<TestRouter> {
  const settings = testSettings(overrides);
  const listening = Promise.withResolvers<{ clientUrl: string; adminUrl: string; agentsUrl: string | null }>();
  const settled = Promise.withResolvers<readonly FoundNode[]>();
  const app = await startApp(settings, {
    listening: (urls) => listening.resolve(urls),
    settled: (nodes) => settled.resolve(nodes),
  });
  const { clientUrl, adminUrl, agentsUrl } = await listening.promise;
  const admin: TestRouter['admin'] = (path, init = {}) =>
    fetch(`${adminUrl}${path}`, {
      ...init,
      headers: { authorization: 'Bearer test-token', 'content-type': 'application/json' },
    });
  const adminJson: TestRouter['adminJson'] = async (path, init) => (await admin(path, init)).json();
  return {
    app,
    url: clientUrl,
    adminUrl,
    agentsUrl: agentsUrl ?? '',
    settled: settled.promise,
    admin,
    adminJson,
    adminList: async (path) => {
      const answer = await adminJson(path);
      if (typeof answer === 'object' && answer !== null && 'data' in answer && Array.isArray(answer.data))
        return answer.data;
      throw new Error(`${path} is no list: ${JSON.stringify(answer)}`);
    },
    chat: (body = {}, init = {}) =>
      fetch(`${clientUrl}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'llama3', messages: [{ role: 'user', content: 'hello' }], ...body }),
        ...init,
      }),
    [Symbol.asyncDispose]: () => app.stop(),
  };
}
