import { unknownLoad } from '../probe.ts';
import { refuse } from './ask.ts';
import type { Engine } from './engine.ts';
import { readModelList } from './model-list.ts';
import { isWithoutList } from './openai.ts';

// Google's OpenAI-compatible surface, whose paths have no `/v1`. Its list calls models `models/gemini-…`, and requests may call them
// so, too: they are offered as they are listed.

export const google: Engine = {
  kind: 'google',
  probe: async (ask, listIsOptional) => {
    const list = await ask('/models');
    // It says so of a wrong key with 400.
    if (list.status === 400 && /API key/i.test(list.text)) refuse({ ...list, status: 401 }, 'a model list');
    const models = listIsOptional && isWithoutList(list) ? null : readModelList(list);
    return { state: 'ready', models, slots: null, load: unknownLoad, version: null };
  },
};
