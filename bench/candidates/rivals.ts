import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Absent, Candidate } from './candidate.ts';
import { goModuleProblem, npmPackage, pythonPackage } from './installed.ts';
import { rival, type Rival } from './rival.ts';

// Other LLM routers, each as its documentation says for several equal OpenAI-compatible nodes. Where a choice costs CPU time, the cheaper one
// that still balances by load is taken: a comparison should err in the rival's favour.

const KEY = 'bench-key';

/** With the oldest HTTP adapter that it admits: under the newest one its streams fail ("TypeError: immutable"). */
const portkey: Rival = {
  name: 'portkey',
  version: '1.15.2',
  install: () => npmPackage('@portkey-ai/gateway', '1.15.2', { '@hono/node-server': '1.3.3' }),
  command: (folder, port, nodes) => ({
    argv: [process.execPath, join(folder, 'build/start-server.js'), `--port=${port}`, '--headless'],
    env: { NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost' },
    headers: {
      authorization: `Bearer ${KEY}`,
      'x-portkey-config': JSON.stringify({
        strategy: { mode: 'loadbalance' },
        targets: nodes.map((url) => ({ provider: 'openai', api_key: KEY, custom_host: `${url}/v1`, weight: 1 })),
      }),
    },
  }),
};

/** The Rust router of SGLang and what came of it share their flags. */
function rustRouter(
  name: string,
  version: string,
  start: (python: string) => readonly string[],
  quiet = 'warn',
): Rival {
  return {
    name,
    version,
    install: () => pythonPackage(`${name}==${version}`),
    command: (python, port, nodes, _folder, sidePort) => ({
      argv: [
        ...start(python),
        '--host=127.0.0.1',
        `--port=${port}`,
        '--policy=power_of_two',
        `--log-level=${quiet}`,
        '--prometheus-host=127.0.0.1',
        `--prometheus-port=${sidePort}`,
        '--worker-urls',
        ...nodes,
      ],
    }),
  };
}

const litellm: Rival = {
  name: 'litellm',
  version: '1.106.2',
  install: () => pythonPackage('litellm[proxy]==1.106.2'),
  command: (python, port, nodes, folder) => {
    const file = join(folder, 'config.yaml');
    const listed = nodes.map(
      (url) =>
        `  - { model_name: bench, litellm_params: { model: openai/bench, api_base: "${url}/v1", api_key: ${KEY} } }`,
    );
    const written = `model_list:
${listed.join('\n')}
router_settings: { routing_strategy: simple-shuffle }
litellm_settings: { set_verbose: false, num_retries: 0, request_timeout: 600 }
general_settings: { master_key: sk-${KEY} }
`;
    writeFileSync(file, written);
    return {
      argv: [join(dirname(python), 'litellm'), '--config', file, '--host', '127.0.0.1', '--port', String(port)],
      env: { LITELLM_MODE: 'PRODUCTION', LITELLM_LOG: 'ERROR', LITELLM_LOCAL_MODEL_COST_MAP: 'True' },
      headers: { authorization: `Bearer sk-${KEY}` },
      patienceMs: 90_000,
      file: written,
    };
  },
};

/** Every rival, present or absent with the reason. */
export function rivals(wanted: (name: string) => boolean): (Candidate | Absent)[] {
  const known = [
    portkey,
    rustRouter('sglang-router', '0.3.2', (python) => [python, '-m', 'sglang_router.launch_router']),
    rustRouter('smg', '1.13.0', (python) => [join(dirname(python), 'smg'), 'launch']),
    rustRouter('vllm-router', '0.1.17', (python) => [join(dirname(python), 'vllm-router')], 'warning'),
    litellm,
  ];
  const go = [
    { name: 'olla', path: 'github.com/thushan/olla' },
    { name: 'bifrost', path: 'github.com/maximhq/bifrost/transports' },
  ];
  return [
    ...known.filter(({ name }) => wanted(name)).map(rival),
    ...go
      .filter(({ name }) => wanted(name))
      .map(({ name, path }) => ({
        name,
        absent: goModuleProblem(path) ?? 'the bench knows no configuration for it yet',
      })),
  ];
}
