import type { Caller } from './auth/callers.ts';
import type { Claim } from './dispatcher/ticket.ts';

/** Of text in most languages' tokenizers, JSON around it included. Set right by the engine's own count when the attempt has ended. */
const BYTES_PER_TOKEN = 4;

/** What a request lays claim to, of which only the body's size is known: by its key, else by its address. */
export function claimOf(caller: Caller | null, bodyBytes: number, maxTokens: number | null): Claim {
  const key = caller?.key ?? null;
  return {
    // Apart, so that no key can be named like an address.
    caller: key ? `key ${key.id}` : (caller?.address ?? ''),
    weight: key?.weight ?? 1,
    promptTokens: bodyBytes / BYTES_PER_TOKEN,
    maxTokens,
  };
}
