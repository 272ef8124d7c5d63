import type { Candidate } from './candidate.ts';
import { MODEL } from '../far-side/texts.ts';

/** Nothing between load and node: what the harness itself adds to every latency. */
export const direct: Candidate = {
  name: 'direct',
  kind: 'harness',
  version: '',
  configuration: () => 'The load asks the node itself.',
  start: async ([url = '']) => ({
    target: { url, basePath: '', headers: {}, model: MODEL, cpuMs: () => 0, memory: () => ({ rssMb: 0, anonMb: 0 }) },
    startMs: 0,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }),
};
