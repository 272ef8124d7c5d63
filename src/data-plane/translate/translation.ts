import type { Usage } from '../../fleet/settlement.ts';

// A client's call told in the dialect of a node that does not speak the client's own, and the node's answer told back. One translator per
// pair of endpoints; it knows JSON and no bytes: framing, chunks, limits and the watching of errors are the relay's, so that pairs
// can be put one behind another. What a node could not do with a field is said by name; nothing is dropped in silence
// (docs/dialects.md lists what maps to what, and what is lost).

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** From one endpoint of the clients' to one of the nodes'. A constant. */
export interface Translator {
  /** What the client asked: `/v1/messages`. */
  readonly from: string;
  /** What the node is asked: `/v1/chat/completions`. */
  readonly to: string;
  /** The call as `to` takes it, `model` as the client wrote it; or the field that cannot be said there. */
  translate(call: Json): Translation | Untranslatable;
}

/** One call, translated. */
export interface Translation {
  readonly call: Json;
  /** Where this call must be put at another endpoint than the translator's `to`: that endpoint, and the field that asks for it. */
  readonly instead?: { readonly to: string; readonly field: string };
  /** The client's own name for a top-level field of `call`, for a sentence about it; absent where the names are the same. */
  readonly nameOf?: (field: string) => string;
  /** For one attempt; each has its own. */
  answer(): AnswerTranslation;
}

/** Tells one 2xx answer of a node in the client's dialect. */
export interface AnswerTranslation {
  /** A whole answer. Null where it is no answer of `to`. */
  whole(answer: Json): Json | null;
  /** One object of the node's stream, as the objects that the client is streamed for it: often one, none, or several. */
  event(event: Json): readonly Json[];
  /** The node's stream ended well: what closes the client's. `usage` is what the router counted, for where the node did not say. */
  end(usage: Usage | null): readonly Json[];
}

export interface Untranslatable {
  /** Where it is, as a path: `tools[2].type`. */
  readonly field: string;
  /** A sentence that names the field and says what to do. */
  readonly message: string;
}

export function isUntranslatable(result: Translation | Untranslatable): result is Untranslatable {
  return 'field' in result;
}
