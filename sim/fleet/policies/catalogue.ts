import { bestTps } from './best-tps.ts';
import { chwbl } from './chwbl.ts';
import { dynamo } from './dynamo.ts';
import { llmD } from './llm-d.ts';
import { lmetric } from './lmetric.ts';
import { minTtft } from './min-ttft.ts';
import { peakEwma } from './peak-ewma.ts';
import { leastInFlight, powerOfTwo, randomNode, roundRobin } from './plain.ts';
import { plainService, type Product, type RivalEntry } from './rival.ts';
import { sglangCacheAware } from './sglang-cache-aware.ts';
import { smgLeastLoad } from './smg-least-load.ts';

// The rivals and the versions they follow. What a product does around its policy is taken from its documentation where that
// says it; the rest is a Kubernetes service's default.

/** SGLang's gateway: five tries, a breaker of ten failures and a minute, checks each minute of which three may fail. */
const sglangGateway: Product = {
  pollMs: null,
  healthMs: 60_000,
  healthFailures: 3,
  attempts: 5,
  breaker: { failures: 10, openMs: 60_000 },
};

export const rivals: readonly RivalEntry[] = [
  { name: 'round-robin', source: 'textbook', product: plainService, make: roundRobin },
  { name: 'random', source: 'textbook', product: plainService, make: randomNode },
  {
    name: 'power-of-two',
    source: 'Mitzenmacher, The power of two choices (2001)',
    product: plainService,
    make: powerOfTwo,
  },
  { name: 'least-in-flight', source: 'textbook', product: plainService, make: leastInFlight },
  {
    name: 'peak-ewma',
    source: 'twitter/finagle 1e8497e, loadbalancer/PeakEwma.scala',
    product: plainService,
    make: peakEwma,
  },
  { name: 'best-tps', source: 'akiojin/llmlb 54548fe, balancer/types.rs', product: plainService, make: bestTps },
  {
    name: 'chwbl',
    source: 'substratusai/kubeai 08e69e5, internal/loadbalancer/balance_chwbl.go',
    product: plainService,
    make: chwbl,
  },
  {
    name: 'sglang-cache-aware',
    source: 'sgl-project/sglang 053b63f, sgl-model-gateway/src/policies/cache_aware.rs; defaults of 01f6c92, mod.rs',
    product: sglangGateway,
    make: sglangCacheAware,
  },
  {
    name: 'smg-least-load',
    source: 'lightseekorg/smg 3bb34d0, model_gateway/src/policies/least_load.rs',
    product: { ...sglangGateway, pollMs: 10_000 },
    make: smgLeastLoad,
  },
  {
    name: 'llm-d',
    source:
      'llm-d/llm-d-router 2342697, scorer/queuedepth and scorer/kvcacheutilization; weights 3/2/2 and prefix of its default profile',
    product: { ...plainService, pollMs: 50 },
    make: llmD,
  },
  {
    name: 'dynamo',
    source: 'ai-dynamo/dynamo 07a6c9c, lib/kv-router/src/scheduling/selector/default.rs',
    product: plainService,
    make: dynamo,
  },
  { name: 'lmetric', source: 'LMetric, arXiv 2603.15202', product: plainService, make: lmetric },
  {
    name: 'min-ttft',
    source: 'Mooncake (FAST 2025), its rule with learned speeds',
    product: plainService,
    make: minTtft,
  },
];

export function rivalNamed(name: string): RivalEntry | undefined {
  return rivals.find((rival) => rival.name === name);
}
