// Clients that are too large for node_modules, or are none of npm's: fetched from their registry into `.cache/clients/` when asked for
// (get.ts), and run by test/clients. Versions are pinned, as the lock file pins the others.

export interface FetchedClient {
  /** As in docs/compatibility.md. */
  readonly name: string;
  readonly registry: 'npm' | 'pypi';
  readonly package: string;
  readonly version: string;
  /** The file that shows that it is there and is run, from its folder. */
  readonly program: string;
}

export const fetched = {
  claudeCode: {
    name: 'Claude Code',
    registry: 'npm',
    package: '@anthropic-ai/claude-code',
    version: '2.1.330',
    program: 'node_modules/@anthropic-ai/claude-code-linux-x64/claude',
  },
  codex: {
    name: 'Codex',
    registry: 'npm',
    package: '@openai/codex',
    version: '0.169.0',
    program: 'node_modules/@openai/codex/bin/codex.js',
  },
  pi: {
    name: 'Pi',
    registry: 'npm',
    package: '@mariozechner/pi-coding-agent',
    version: '0.73.1',
    program: 'node_modules/@mariozechner/pi-coding-agent/dist/cli.js',
  },
  pythonOpenai: {
    name: 'OpenAI for Python',
    registry: 'pypi',
    package: 'openai',
    version: '3.54.0',
    program: 'bin/python',
  },
} as const satisfies Record<string, FetchedClient>;
