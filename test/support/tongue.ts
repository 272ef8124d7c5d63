// What a dialect's imitation is made of; the dialects are in tongues.ts.

/** What is said: text in pieces, or one call of a tool. */
export type Said =
  | { readonly pieces: readonly string[] }
  | { readonly tool: string; readonly args: Readonly<Record<string, string>> };

export interface Tongue {
  readonly streamType: string;
  /** The bytes before the first piece, one string an event. */
  open(model: string): readonly string[];
  /** The bytes of what is said, at least one string a piece. */
  say(said: Said, model: string): readonly string[];
  /** The bytes after the last piece. */
  close(said: Said, model: string): readonly string[];
  /** The whole answer of a request that asked for no stream. */
  whole(said: Said, model: string): object;
}

/** All of a text; empty for a call. */
export const textOf = (said: Said): string => ('pieces' in said ? said.pieces.join('') : '');

/** A JSON text in three pieces, as engines stream arguments. */
export function inPieces(args: Readonly<Record<string, string>>): readonly string[] {
  const json = JSON.stringify(args);
  return [json.slice(0, 3), json.slice(3, 7), json.slice(7)];
}

export const frame = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
export const named = (value: { readonly type: string }): string => `event: ${value.type}\n${frame(value)}`;
