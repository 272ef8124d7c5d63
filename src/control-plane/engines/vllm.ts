import { unknownLoad } from '../probe.ts';
import { askQuietly } from './ask.ts';
import { type Engine, LOAD_WITHIN_MS } from './engine.ts';
import { largestShare, readGauges, total } from './gauges.ts';
import { textField } from '../json.ts';
import { inMemory, isOwnedBy, readModelList } from './model-list.ts';

// vLLM does not listen before its model is loaded, and does not tell how many sequences it batches at most. Its gauges
// changed names between versions; both are read.

export const vllm: Engine = {
  kind: 'vllm',
  isListedBy: (list) => isOwnedBy(list, 'vllm'),
  recognise: async (ask) => {
    const version = await ask('/version');
    if (version.status !== 200 || textField(version.json, 'version') === null) return false;
    const metrics = await ask('/metrics');
    return metrics.status === 200 && metrics.text.includes('vllm:');
  },
  probe: async (ask) => {
    const [list, metrics, version] = await Promise.all([
      ask('/v1/models'),
      askQuietly(ask, '/metrics', LOAD_WITHIN_MS),
      askQuietly(ask, '/version', LOAD_WITHIN_MS),
    ]);
    const gauges = metrics?.status === 200 ? readGauges(metrics.text) : null;
    return {
      state: 'ready',
      models: inMemory(readModelList(list)),
      slots: null,
      load: gauges
        ? {
            running: total(gauges, 'vllm:num_requests_running'),
            waiting: total(gauges, 'vllm:num_requests_waiting'),
            cacheUse: largestShare(gauges, 'vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'),
          }
        : unknownLoad,
      version: textField(version?.json, 'version'),
    };
  },
};
