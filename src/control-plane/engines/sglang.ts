import { unknownLoad } from '../probe.ts';
import { askQuietly } from './ask.ts';
import { type Engine, LOAD_WITHIN_MS } from './engine.ts';
import { largestShare, readGauges, total } from './gauges.ts';
import { countField, textField } from '../json.ts';
import { inMemory, isOwnedBy, readModelList } from './model-list.ts';

// SGLang. `/health` is not asked: in several versions it runs a generation and so times out on a busy engine. Gauges are
// there only with --enable-metrics. Slots are told where the operator set --max-running-requests.

export const sglang: Engine = {
  kind: 'sglang',
  isListedBy: (list) => isOwnedBy(list, 'sglang'),
  recognise: async (ask) => {
    const model = await ask('/get_model_info');
    if (model.status === 200 && textField(model.json, 'model_path') !== null) return true;
    const server = await ask('/server_info');
    return server.status === 200 && textField(server.json, 'model_path') !== null;
  },
  probe: async (ask) => {
    const [list, metrics, current] = await Promise.all([
      ask('/v1/models'),
      askQuietly(ask, '/metrics', LOAD_WITHIN_MS),
      askQuietly(ask, '/server_info', LOAD_WITHIN_MS),
    ]);
    const server = current?.status === 200 ? current : await askQuietly(ask, '/get_server_info', LOAD_WITHIN_MS);
    const gauges = metrics?.status === 200 ? readGauges(metrics.text) : null;
    return {
      state: 'ready',
      models: inMemory(readModelList(list)),
      slots: countField(server?.json, 'max_running_requests'),
      load: gauges
        ? {
            running: total(gauges, 'sglang:num_running_reqs'),
            waiting: total(gauges, 'sglang:num_queue_reqs'),
            cacheUse: largestShare(gauges, 'sglang:token_usage'),
          }
        : unknownLoad,
      version: textField(server?.json, 'version'),
    };
  },
};
