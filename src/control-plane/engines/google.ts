import { unknownLoad } from '../probe.ts';
import type { Engine } from './engine.ts';
import { readModelList } from './model-list.ts';
import { isWithoutList } from './openai.ts';

// Google's OpenAI-compatible surface, whose paths have no `/v1`. Its list calls models `models/gemini-…`, and requests may call them
// so, too: they are offered as they are listed.

export const google: Engine = {
  kind: 'google',
  probe: async (ask, listIsOptional) => {
    const list = await ask('/models');
    const models = listIsOptional && isWithoutList(list) ? null : readModelList(list);
    return { state: 'ready', models, slots: null, load: unknownLoad, version: null };
  },
};
