import { unknownLoad } from '../probe.ts';
import type { Answer } from './ask.ts';
import type { Engine } from './engine.ts';
import { isOwnedBy, readModelList } from './model-list.ts';

// Any server that speaks OpenAI's API and is nothing more specific. It tells its models and no more.

export const openai: Engine = {
  kind: 'openai',
  probe: async (ask, listIsOptional) => {
    const list = await ask('/v1/models');
    const models = listIsOptional && isWithoutList(list) ? null : readModelList(list);
    return { state: 'ready', models, slots: null, load: unknownLoad, version: isOwnedBy(list, 'weir') ? 'weir' : null };
  },
};

/** True for a server that is there and has no such path. */
export function isWithoutList(list: Answer): boolean {
  return list.status === 404 || list.status === 405;
}
