import { unknownLoad } from '../probe.ts';
import type { Engine } from './engine.ts';
import { readModelList } from './model-list.ts';
import { isWithoutList } from './openai.ts';

// Anthropic's API, or a gateway that speaks it. To list models costs nothing, and tells a wrong key; it tells no load and no limits.

/** The most that one page holds. */
const LIST = '/v1/models?limit=1000';

export const anthropic: Engine = {
  kind: 'anthropic',
  probe: async (ask, listIsOptional) => {
    const list = await ask(LIST);
    const models = listIsOptional && isWithoutList(list) ? null : readModelList(list);
    return { state: 'ready', models, slots: null, load: unknownLoad, version: null };
  },
};
