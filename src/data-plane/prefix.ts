import { crc32 } from 'node:zlib';
import { noPrefix, type Prefix } from './balancer/candidate.ts';

// How a prompt begins, read from the bytes of its body: hashes of blocks of it, each chained to those before, so that two requests
// share as many leading hashes as their prompts share leading blocks. Bytes and not tokens, since a tokenizer for each model
// would cost more than the hint is worth: a chat sends its history again byte for byte, and that is what engines cache. What
// stands before the messages (model, temperature) does not count; a system prompt apart from them, as in Anthropic's form, is
// seen only where it comes after. Two models' prompts may look alike; they differ by the node's own books. The hash is a CRC, since the
// runtime has it in native code; who makes his own prompt look like another's gains nothing but a worse node.

/** Of text in most languages' tokenizers, JSON around it included. Set right by the engine's own count when the attempt has ended. */
export const BYTES_PER_TOKEN = 4;
const BLOCK_BYTES = 1024;
/** Of a longer prompt the first 128 KB are looked at. */
const MOST_BLOCKS = 128;
const keys = ['"messages"', '"prompt"', '"input"'];

/** No block is shorter than a whole one: short prompts have none. */
export function prefixOf(body: Buffer): Prefix {
  if (body.length < BLOCK_BYTES) return noPrefix;
  let start = -1;
  for (const key of keys) {
    start = body.indexOf(key);
    if (start >= 0) break;
  }
  const blocks = start < 0 ? 0 : Math.min(MOST_BLOCKS, Math.floor((body.length - start) / BLOCK_BYTES));
  if (blocks === 0) return noPrefix;
  const hashes: number[] = [];
  let hash = 0;
  for (let block = 0; block < blocks; block += 1) {
    const at = start + block * BLOCK_BYTES;
    hash = crc32(body.subarray(at, at + BLOCK_BYTES), hash);
    hashes.push(hash);
  }
  return { hashes, blockTokens: BLOCK_BYTES / BYTES_PER_TOKEN };
}
