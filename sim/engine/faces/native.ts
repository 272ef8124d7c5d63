import type { LocalEngineKind } from '../../../src/fleet/glossary.ts';
import type { Machine } from '../machine.ts';
import type { Call, Routes } from './call.ts';
import { ollamaRoutes } from './ollama.ts';

// What each engine has besides OpenAI's API: the endpoints and metric names by which a router recognises it and reads its load.

const PLAIN = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };

const llamacpp: Routes = {
  'GET /health': (call) => call.answer.whole(200, { status: 'ok' }),
  'GET /props': (call, machine) => {
    const { slots, models, contextTokens, profile } = machine.settings;
    call.answer.whole(200, {
      default_generation_settings: {
        id: 0,
        id_task: -1,
        n_ctx: contextTokens,
        speculative: false,
        is_processing: false,
      },
      total_slots: slots,
      model_alias: models[0],
      model_path: `/models/${models[0]}.gguf`,
      modalities: { vision: false, audio: false },
      chat_template: '{{ messages }}',
      bos_token: '<s>',
      eos_token: '</s>',
      build_info: profile.version,
    });
  },
  'GET /slots': (call, machine) => {
    const { slots, contextTokens } = machine.settings;
    const list = Array.from({ length: slots }, (_, id) => ({
      id,
      n_ctx: contextTokens,
      is_processing: id < machine.running,
    }));
    call.answer.whole(200, list);
  },
  'GET /metrics': (call, machine) => {
    metrics(call, 'llamacpp', '', {
      requests_processing: machine.running,
      requests_deferred: machine.waiting,
      tokens_predicted_total: machine.stats().tokens,
    });
  },
};

const vllm: Routes = {
  'GET /health': (call) => call.answer.whole(200, '', { 'content-type': 'text/plain' }),
  'GET /ping': (call) => call.answer.whole(200, '', { 'content-type': 'text/plain' }),
  'GET /version': (call, machine) => call.answer.whole(200, { version: machine.settings.profile.version }),
  'GET /load': (call, machine) => call.answer.whole(200, { server_load: machine.running + machine.waiting }),
  'GET /metrics': (call, machine) => {
    metrics(call, 'vllm', `{engine="0",model_name="${machine.settings.models[0]}"}`, {
      num_requests_running: machine.running,
      num_requests_waiting: machine.waiting,
      kv_cache_usage_perc: share(machine),
    });
  },
};

const sglang: Routes = {
  'GET /health': (call) => call.answer.whole(200, '', { 'content-type': 'text/plain' }),
  'GET /health_generate': (call) => call.answer.whole(200, '', { 'content-type': 'text/plain' }),
  'GET /get_model_info': (call, machine) => call.answer.whole(200, modelInfo(machine)),
  'GET /model_info': (call, machine) => call.answer.whole(200, modelInfo(machine)),
  'GET /get_server_info': (call, machine) => call.answer.whole(200, serverInfo(machine)),
  'GET /server_info': (call, machine) => call.answer.whole(200, serverInfo(machine)),
  'GET /metrics': (call, machine) => {
    metrics(call, 'sglang', `{model_name="${machine.settings.models[0]}"}`, {
      num_running_reqs: machine.running,
      num_queue_reqs: machine.waiting,
      token_usage: share(machine),
    });
  },
};

const lmstudio: Routes = {
  'GET /api/v0/models': (call, machine) => {
    const { models, contextTokens } = machine.settings;
    const data = models.map((id) => ({
      id,
      object: 'model',
      type: id.includes('embed') ? 'embeddings' : 'llm',
      publisher: 'sim',
      arch: 'sim',
      compatibility_type: 'gguf',
      quantization: 'Q4_K_M',
      state: machine.residency.state(id) === 'resident' ? 'loaded' : 'not-loaded',
      max_context_length: contextTokens,
    }));
    call.answer.whole(200, { object: 'list', data });
  },
};

/** The endpoints of an engine besides OpenAI's. */
export const nativeRoutes: Readonly<Record<LocalEngineKind, Routes>> = {
  openai: {},
  ollama: ollamaRoutes,
  llamacpp,
  vllm,
  sglang,
  lmstudio,
};

/** What the engine says of a path it does not have. LM Studio says 200. */
export function sayUnknownPath(call: Call, machine: Machine): void {
  switch (machine.settings.kind) {
    case 'ollama':
      call.answer.whole(404, '404 page not found', { 'content-type': 'text/plain' });
      return;
    case 'llamacpp':
      call.answer.whole(404, { error: { code: 404, message: 'File Not Found', type: 'not_found_error' } });
      return;
    case 'lmstudio':
      call.answer.whole(200, { error: `Unexpected endpoint or method. (${call.method} ${call.path})` });
      return;
    case 'vllm':
    case 'sglang':
      call.answer.whole(404, { detail: 'Not Found' });
      return;
    case 'openai':
      call.answer.whole(404, {
        error: {
          message: `Invalid URL (${call.method} ${call.path})`,
          type: 'invalid_request_error',
          param: null,
          code: null,
        },
      });
  }
}

function modelInfo(machine: Machine): unknown {
  const path = `/models/${machine.settings.models[0]}`;
  return { model_path: path, tokenizer_path: path, is_generation: true, preferred_sampling_params: null };
}

function serverInfo(machine: Machine): unknown {
  const { slots, models, contextTokens, profile } = machine.settings;
  return {
    model_path: `/models/${models[0]}`,
    served_model_name: models[0],
    context_length: contextTokens,
    max_running_requests: slots,
    version: profile.version,
    internal_states: [{ effective_max_running_requests_per_dp: slots }],
  };
}

/** There is no cache to be filled: what its use would be if every slot's context were full. */
function share(machine: Machine): number {
  return Math.min(1, machine.running / machine.settings.slots);
}

function metrics(call: Call, prefix: string, labels: string, values: Readonly<Record<string, number>>): void {
  const lines = Object.entries(values).map(([name, value]) => {
    const full = `${prefix}:${name}`;
    return `# HELP ${full} ${name.replaceAll('_', ' ')}\n# TYPE ${full} gauge\n${full}${labels} ${value}\n`;
  });
  call.answer.whole(200, lines.join(''), PLAIN);
}
