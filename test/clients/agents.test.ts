import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { spawnTied } from '../../tools/engine/spawn-tied.ts';
import { fetched } from '../../tools/clients/pins.ts';
import { keyHash } from '../../src/data-plane/auth/key-hash.ts';
import { at } from '../support/json-path.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { temporaryDirectory } from '../support/settings.ts';
import { answering, hasToolResult } from '../support/speaking-node.ts';
import { startDataPlane, testKey } from '../support/start-data-plane.ts';
import { agents, type AgentName } from './clients.ts';
import { programOf } from './fetched.ts';

// Coding agents in a real session against a scripted model: asked to write a file, the model calls the agent's own tool for it, is
// told what came of it, and says that it is done. Each runs with a home of its own and none of this process's environment.

const WRITTEN = 'by the model';
const KEY = 'sk-weir-agent';

interface Session {
  readonly program: string;
  /** Of the router. */
  readonly url: string;
  readonly home: string;
  /** The node is told the request in another dialect. */
  readonly isTranslated: boolean;
}

interface Agent {
  /** The tool by which the model writes `file`. */
  readonly call: (file: string) => { readonly tool: string; readonly args: Readonly<Record<string, string>> };
  /** The command with its arguments, the prompt left out, and its environment. */
  readonly start: (session: Session) => {
    readonly args: readonly [string, ...string[]];
    readonly env: Readonly<Record<string, string>>;
  };
}

const played: Readonly<Record<AgentName, Agent>> = {
  claudeCode: {
    call: (file) => ({ tool: 'Write', args: { file_path: file, content: WRITTEN } }),
    start: ({ program, url, home }) => ({
      args: [program, '--model', 'llama3', '--allowedTools', 'Write', '-p'],
      env: {
        ANTHROPIC_BASE_URL: url,
        ANTHROPIC_API_KEY: KEY,
        CLAUDE_CONFIG_DIR: home,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      },
    }),
  },
  codex: {
    call: (file) => ({ tool: 'exec_command', args: { cmd: `printf '${WRITTEN}' > ${file}` } }),
    start: ({ program, url, home, isTranslated }) => {
      const provider = `{ name = "weir", base_url = "${url}/v1", wire_api = "responses", env_key = "WEIR_KEY" }`;
      const settings = ['-c', 'model_provider="weir"', '-c', `model_providers.weir=${provider}`, '-m', 'llama3'];
      // Tools that are no functions cannot be told to a node of chat.
      const functionsOnly = ['-c', 'web_search="disabled"'];
      const unasked = ['--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox'];
      return {
        args: [process.execPath, program, 'exec', ...unasked, ...(isTranslated ? functionsOnly : []), ...settings],
        env: { CODEX_HOME: home, WEIR_KEY: KEY },
      };
    },
  },
  pi: {
    call: (file) => ({ tool: 'write', args: { path: file, content: WRITTEN } }),
    start: ({ program, url, home }) => {
      const cost = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
      const limits = { contextWindow: 32_000, maxTokens: 1000 };
      const models = [{ id: 'llama3', name: 'llama3', reasoning: false, input: ['text'], ...limits, cost }];
      const weir = { baseUrl: `${url}/v1`, api: 'openai-completions', apiKey: KEY, models };
      mkdirSync(join(home, '.pi/agent'), { recursive: true });
      writeFileSync(join(home, '.pi/agent/models.json'), JSON.stringify({ providers: { weir } }));
      return { args: [process.execPath, program, '--provider', 'weir', '--model', 'llama3', '-p'], env: {} };
    },
  },
};

function isForUse(asked: unknown): boolean {
  return at(asked, 'tools', 0) !== undefined && !hasToolResult(asked);
}

for (const { client, nodes } of Object.values(agents)) {
  for (const engine of nodes) {
    test(
      `${fetched[client].name}, on ${engine} nodes: writes a file that the model asks for`,
      { timeout: 90_000 },
      async (t) => {
        const program = programOf(fetched[client], t);
        if (program === null) return;
        const home = temporaryDirectory();
        const file = join(home, 'written.txt');
        const { call, start } = played[client];
        await using node = await scriptedNode(
          answering((asked) => (isForUse(asked) ? call(file) : { pieces: ['It ', 'is ', 'written.'] })),
        );
        const keys = [testKey(keyHash(KEY))];
        const settings = { auth: { clients: 'required' } } as const;
        await using weir = await startDataPlane([{ url: node.url, engine }], settings, { keys });
        const { args, env } = start({ program, url: weir.url, home, isTranslated: engine !== nodes[0] });
        const [command, ...rest] = args;
        const path = process.env['PATH'] ?? '';
        const child = spawnTied(command, [...rest, 'write it'], { cwd: home, env: { PATH: path, HOME: home, ...env } });
        let said = '';
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
        const code = await new Promise((resolve) => child.once('close', resolve));
        assert.equal(code, 0, said);
        assert.ok(existsSync(file), said);
        assert.equal(readFileSync(file, 'utf8'), WRITTEN);
        assert.match(said, /It is written\./);
        const settlements = await weir.settled(2);
        assert.deepEqual(
          new Set(settlements.map(({ outcome }) => outcome)),
          new Set(['served']),
          JSON.stringify(settlements),
        );
        assert.ok(node.requests.some((request) => request.method === 'POST' && hasToolResult(request.json())));
      },
    );
  }
}
