// What the tiny model knows: its vocabulary, and which token may follow which. Ring words follow each other for ever,
// so that at temperature 0 an answer never ends by itself and `max_tokens` decides its length; above temperature 0 the
// detours are taken now and then, and a full stop may end the answer. Every ring word occurs once, which makes the
// answer at temperature 0 the ring itself, from its first word on.

const ring =
  'a router holds each request until some node has room , then hands it over and streams tokens back in order' +
  ' while they come ; whoever waits longest goes first .';
/** Said less often; they leave the ring at words they share with it and come back to it. */
const detours = [
  'each node answers with tokens .',
  'the router sends it to some node that has room .',
  'one request waits until they come back .',
];
const ringWeight = 8;
const endWeight = 3;

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?-\n';

/** llama.cpp's token types: what a piece of text may become, what only a template may write, what spells raw bytes. */
const tokenType = { normal: 1, unknown: 2, control: 3, userDefined: 4, byte: 6 };

/**
 * How a tool call is written: the template ends its prompt with `wanted` where tools are offered and none was called
 * yet; that leads to `open` and a newline, from which on the engine's grammar forces a call that fits the tools, and the
 * call's last brace leads to `close`.
 */
export const callPieces = { wanted: '<|call|>', open: '<tool_call>', close: '</tool_call>' };
const closingBrace = '<0x7D>';

export interface Vocabulary {
  readonly pieces: readonly string[];
  readonly types: readonly number[];
  /** Longer pieces win when text is split. */
  readonly scores: readonly number[];
  readonly unknownId: number;
  readonly beginId: number;
  readonly endId: number;
  /** By token: which tokens may follow, with their share; the shares of a token add up to 1. */
  readonly next: readonly ReadonlyMap<number, number>[];
}

/** Computes the vocabulary and its bigram table; the same on every machine. */
export function makeVocabulary(): Vocabulary {
  const pieces = ['<unk>', '<s>', '</s>', '<|im_start|>', '<|im_end|>', ...Object.values(callPieces)];
  const types = [tokenType.unknown, ...Array.from({ length: 4 }, () => tokenType.control)];
  while (types.length < pieces.length) types.push(tokenType.userDefined);
  // With a token for every byte any text can be split, whatever it says.
  for (let byte = 0; byte < 256; byte++) {
    pieces.push(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    types.push(tokenType.byte);
  }
  const words = [ring, ...detours].map((sentence) => sentence.split(' '));
  for (const piece of normalPieces(words.flat())) {
    pieces.push(piece);
    types.push(tokenType.normal);
  }
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const idOf = (piece: string): number => {
    const id = ids.get(piece);
    if (id === undefined) throw new Error(`the vocabulary lacks ${piece}`);
    return id;
  };
  const endId = idOf('<|im_end|>');
  const sentences = words.map((sentence) => sentence.map((word) => idOf(`▁${word}`)));
  return {
    pieces,
    types,
    scores: pieces.map((piece, id) => (types[id] === tokenType.normal ? piece.length : 0)),
    unknownId: idOf('<unk>'),
    beginId: idOf('<s>'),
    endId,
    next: countBigrams(pieces.length, sentences, endId, [
      [idOf(callPieces.wanted), idOf(callPieces.open)],
      [idOf(callPieces.open), idOf('\n')],
      [idOf(closingBrace), idOf(callPieces.close)],
      [idOf(callPieces.close), endId],
    ]),
  };
}

/**
 * Letters, digits, punctuation, and every word with all its beginnings: llama.cpp's tokenizer joins two pieces into a
 * third only if that one exists, so a word is reached letter by letter. `▁` stands for the space before a word.
 */
function normalPieces(words: readonly string[]): Set<string> {
  const pieces = new Set(['▁', ...letters.split('')]);
  for (const word of words) {
    for (let length = 1; length <= word.length; length++) pieces.add(`▁${word.slice(0, length)}`);
  }
  return pieces;
}

function countBigrams(
  size: number,
  sentences: readonly (readonly number[])[],
  endId: number,
  certain: readonly (readonly [number, number])[],
): Map<number, number>[] {
  const counts = Array.from({ length: size }, () => new Map<number, number>());
  const count = (from: number | undefined, to: number | undefined, weight: number): void => {
    const row = from === undefined ? undefined : counts[from];
    if (row && to !== undefined) row.set(to, (row.get(to) ?? 0) + weight);
  };
  const [first = []] = sentences;
  for (const sentence of sentences) {
    const weight = sentence === first ? ringWeight : 1;
    for (const [index, id] of sentence.entries()) count(id, sentence[index + 1], weight);
  }
  const stop = first.at(-1);
  count(stop, first[0], ringWeight);
  count(stop, endId, endWeight);
  for (const [from, to] of certain) count(from, to, 1);
  // What no sentence contains (a letter, a byte, a template's newline) is followed by the start of some sentence.
  const start = new Map<number, number>();
  for (const sentence of sentences) {
    const [opening] = sentence;
    if (opening !== undefined) start.set(opening, sentence === first ? ringWeight : 1);
  }
  return counts.map((row) => shares(row.size > 0 ? row : start));
}

function shares(row: ReadonlyMap<number, number>): Map<number, number> {
  const total = [...row.values()].reduce((sum, weight) => sum + weight, 0);
  return new Map([...row].map(([id, weight]) => [id, weight / total]));
}
