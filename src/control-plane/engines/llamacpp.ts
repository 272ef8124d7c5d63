import { type EngineLoad, type ProbedModel, unknownLoad } from '../probe.ts';
import { type Ask, askQuietly, refuse } from './ask.ts';
import { type Engine, LOAD_WITHIN_MS } from './engine.ts';
import { readGauges, total } from './gauges.ts';
import { countField, field, textField } from '../json.ts';
import { isOwnedBy, listEntries, readModelList } from './model-list.ts';

// llama.cpp's server. `/health` answers 503 "Loading model" while it loads: not ready, and no failure. `/props` needs the
// key where one is set (`/health` and `/v1/models` do not), so it is what tells a wrong key; it also tells the slots.
// `/slots` and `/metrics` wait for the engine's batch, so they are asked last, briefly, and may stay unanswered.

export const llamacpp: Engine = {
  kind: 'llamacpp',
  isListedBy: (list) => isOwnedBy(list, 'llamacpp') || isLoading(list.status, list.json),
  recognise: async (ask) => {
    const props = await ask('/props');
    if (isLoading(props.status, props.json)) return true;
    return props.status === 200 && field(props.json, 'default_generation_settings') !== undefined;
  },
  probe: async (ask) => {
    const [health, list, props] = await Promise.all([ask('/health'), ask('/v1/models'), ask('/props')]);
    if (isLoading(health.status, health.json)) {
      const models = listEntries(list) === null ? null : readModelList(list);
      return { state: 'loading', models, slots: null, load: unknownLoad, version: null };
    }
    if (health.status !== 200) refuse(health, 'a llama.cpp server in order');
    if (props.status === 401 || props.status === 403) refuse(props, "llama.cpp's properties");
    return {
      state: 'ready',
      models: readModelList(list).map((model) => asRun(model, props.json)),
      // The router mode of llama.cpp (several models behind one door) has no slots of its own.
      slots: countField(props.json, 'total_slots'),
      load: await readLoad(ask),
      version: textField(props.json, 'build_info'),
    };
  },
};

/**
 * A server with one model says in its properties what context it runs it with, for each slot, and the file's name has the
 * quantization by the custom of GGUF files. Its router mode tells neither.
 */
function asRun(model: ProbedModel, props: unknown): ProbedModel {
  if (model.isLoaded !== undefined) return model;
  const contextTokens = countField(field(props, 'default_generation_settings'), 'n_ctx') ?? model.contextTokens;
  const file = textField(props, 'model_path') ?? model.name;
  const quantization = /[-._](I?Q\d\w*|BF16|F16|F32|MXFP4)(?:\.gguf|$)/i.exec(file)?.[1];
  return { ...model, contextTokens, isLoaded: true, ...(quantization === undefined ? {} : { quantization }) };
}

async function readLoad(ask: Ask): Promise<EngineLoad> {
  const slots = await askQuietly(ask, '/slots', LOAD_WITHIN_MS);
  // Not switched on (501), another build (404): the other page may be. Silence means busy, and the other is as busy.
  if (slots === null) return unknownLoad;
  if (slots.status === 200 && Array.isArray(slots.json)) {
    const running = slots.json.filter((slot) => field(slot, 'is_processing') === true).length;
    return { running, waiting: null, cacheUse: null };
  }
  const metrics = await askQuietly(ask, '/metrics', LOAD_WITHIN_MS);
  if (metrics?.status !== 200) return unknownLoad;
  const gauges = readGauges(metrics.text);
  return {
    running: total(gauges, 'llamacpp:requests_processing'),
    waiting: total(gauges, 'llamacpp:requests_deferred'),
    cacheUse: total(gauges, 'llamacpp:kv_cache_usage_ratio'),
  };
}

function isLoading(status: number, json: unknown): boolean {
  if (status !== 503) return false;
  return /loading model/i.test(textField(field(json, 'error'), 'message') ?? textField(json, 'status') ?? '');
}
