import { rivals } from '../policies/catalogue.ts';
import type { SyntheticName } from '../workload/synthetic.ts';

// What placement is judged by: fleets and traffic, loads from half of capacity to far beyond it, and everybody who competes. Runs
// are short, so that all of them take a quarter of an hour; that is paid for with seeds, of which the report tells the spread.

export interface Scenario {
  readonly fleet: string;
  readonly traffic: { readonly trace: string } | { readonly workload: SyntheticName };
  readonly minutes: number;
  /** What of the bar it stands for. */
  readonly what: string;
}

const mooncake = { trace: 'mooncake-conversation.jsonl' };
const azure = { trace: 'azure-2023-conversation.csv' };

export const scenarios: readonly Scenario[] = [
  { fleet: 'mixed', traffic: mooncake, minutes: 3, what: 'laptops to H100, long prompts with shared prefixes' },
  { fleet: 'mixed', traffic: azure, minutes: 1, what: 'laptops to H100, many short chats, nothing shared' },
  { fleet: 'equal', traffic: mooncake, minutes: 3, what: 'eight alike, long prompts with shared prefixes' },
  { fleet: 'equal', traffic: azure, minutes: 1, what: 'eight alike, many short chats, nothing shared' },
  { fleet: 'ollama', traffic: { workload: 'chats' }, minutes: 8, what: 'one slot each, four models, cold loads' },
  { fleet: 'rough', traffic: mooncake, minutes: 3, what: 'chunked and blocking prompts, failures and bursts' },
  { fleet: 'guessed', traffic: mooncake, minutes: 3, what: 'numbers of slots that nobody told, and guesses miss' },
];

export const loads: readonly number[] = [0.5, 0.8, 1, 1.3, 1.6];
export const seeds: readonly number[] = [1, 2, 3, 4, 5];
/** Requests of one run at most. */
export const MOST_REQUESTS = 8_000;

/** `told`: clients tell Weir their objective for the first token. */
export interface Contender {
  readonly id: string;
  readonly policy: string;
  readonly told: boolean;
  readonly kind: 'ours' | 'shipped' | 'behind our room';
}

export const OURS = 'adaptive';
export const OURS_UNTOLD = 'adaptive, untold';

export const contenders: readonly Contender[] = [
  { id: OURS, policy: 'weir', told: true, kind: 'ours' },
  { id: OURS_UNTOLD, policy: 'weir', told: false, kind: 'ours' },
  ...rivals.map(({ name }) => ({ id: name, policy: name, told: false, kind: 'shipped' }) as const),
  ...rivals
    .map(({ name }) => `${name}+weir`)
    .map((policy) => ({ id: policy, policy, told: true, kind: 'behind our room' }) as const),
];

export interface Plan {
  readonly scenarios: readonly Scenario[];
  readonly loads: readonly number[];
  readonly seeds: readonly number[];
  readonly contenders: readonly Contender[];
}

const quickRivals = new Set(['least-in-flight', 'lmetric', 'min-ttft', 'lmetric+weir', 'min-ttft+weir']);

/** Two minutes instead of a quarter of an hour, and no trace: enough to see that a change has spoilt something. */
export const quick: Plan = {
  scenarios: ['mixed', 'equal', 'rough'].map((fleet) => ({
    fleet,
    traffic: { workload: 'agents' },
    minutes: 1,
    what: 'agents',
  })),
  loads: [0.8, 1.3],
  seeds: [1, 2],
  contenders: contenders.filter(({ id, kind }) => kind === 'ours' || quickRivals.has(id)),
};
