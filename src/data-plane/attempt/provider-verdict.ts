import type { AttemptEnd } from '../../fleet/settlement.ts';
import { endOfStatus, type Verdict, verdicts } from './verdict.ts';

// What a cloud provider's refusal means where it differs from a node's. A provider serves any number of models to any number of
// requests, so what it says of one of them must not be held against it: a client that asks for a model that does not exist, or
// that the operator's account may not use, would else shut the provider to everybody.

/** Anthropic's word for being overloaded. */
const OVERLOADED = 529;

/** Google's words for a wrong key, which it answers 400; at the beginning, since what follows may be a client's. */
const WRONG_KEY = /^API key (not valid|expired)/i;

/** Sorts a provider's answer other than 2xx. */
export function endOfProviderStatus(status: number, message: string): AttemptEnd {
  if (status === OVERLOADED) return 'overloaded';
  if (status === 400 && WRONG_KEY.test(message)) return 'unauthorized';
  // Something else is missing that the client named: a file, an answer to go on from.
  if (status === 404 && !/\bmodels?\b/i.test(message)) return 'client-error';
  return endOfStatus(status, message);
}

/** A verdict of the table, less what would be held against the provider for one model's sake. */
export function providerVerdict(end: AttemptEnd, status: number | null): Verdict {
  const verdict = verdicts[end];
  const isOfOneModel = end === 'model-missing' || (end === 'unauthorized' && status === 403);
  if (isOfOneModel) return { ...verdict, blame: 'neutral', doubt: null };
  // A key with limited rights is refused with 401 for what it may not do. Whether it is wrong altogether tells the provider's list.
  return end === 'unauthorized' ? { ...verdict, blame: 'neutral' } : verdict;
}

/** Ms that a refusal's body asks to be left alone, as Google's do in place of a header; null where it does not say. */
export function retryDelayOf(body: Buffer): number | null {
  const [, seconds] = /"retryDelay":\s*"(\d{1,9}(?:\.\d{1,9})?)s"/.exec(body.toString('latin1')) ?? [];
  return seconds === undefined ? null : Number(seconds) * 1000;
}
