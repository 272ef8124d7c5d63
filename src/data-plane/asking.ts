import type { DialectForm } from './api/dialect.ts';
import type { AnyCall } from './calls.ts';
import { bodyFor, isUpload } from './calls.ts';
import type { NodeRef } from './dispatcher/ticket.ts';
import { placedAs } from '../fleet/offered-models.ts';
import type { PacedBody } from '../http-client/exchange.ts';
import type { FleetSnapshot, ModelOffer, NodeSnapshot } from '../fleet/snapshot.ts';
import type { NodeRoute } from './http/routes.ts';
import { placementName } from './placement-view.ts';
import type { Telling } from './relay/translated-watch.ts';
import { speaksRoute } from './spoken.ts';
import { asProviderTakesIt } from './translate/chat/providers-words.ts';
import {
  isUntranslatable,
  type Json,
  type Translation,
  type Translator,
  type Untranslatable,
} from './translate/translation.ts';
import { translatorFor } from './translate/translators.ts';
import type { Unspoken } from './unspoken.ts';

// How each of a model's nodes is asked: as the client asked, where the node speaks that, else translated. Which nodes can serve a
// request at all follows from it, so it is judged before the request is placed; a request that all of the model's nodes speak, as
// nearly every request is, is neither parsed again nor held. A node found out not to speak what its kind of engine does is asked
// again, translated, where that can be.

/** What one node is asked, and how its answer is told. */
export interface NodeCall {
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer | PacedBody;
  /** Null where the answer passes as it comes. */
  readonly telling: Telling | null;
}

/** Who of the model's nodes may be asked. */
export interface Asking {
  readonly kind: 'asking';
  /** What the dispatcher knows the model by. */
  readonly model: string;
  /** Nodes to be left out, to be added to. */
  readonly tried: NodeRef[];
  readonly translated: TranslatedCall | null;
}

/** Why nobody may be asked. */
export type Unaskable =
  | { readonly kind: 'unspoken' }
  | { readonly kind: 'untranslatable'; readonly problem: Untranslatable };

/** One request as nodes of other dialects are asked. Holds what was parsed until it is released. */
export class TranslatedCall {
  readonly #route: NodeRoute;
  readonly #form: DialectForm;
  readonly #unspoken: Unspoken;
  readonly #bodyOf: () => Buffer;
  #done: { readonly by: Translator; readonly result: Translation | Untranslatable } | null = null;

  constructor(route: NodeRoute, form: DialectForm, unspoken: Unspoken, bodyOf: () => Buffer) {
    this.#route = route;
    this.#form = form;
    this.#unspoken = unspoken;
    this.#bodyOf = bodyOf;
  }

  /** True where the node must be asked in another dialect. */
  isNeededFor(node: NodeSnapshot, now: number): boolean {
    const { speech, isAboutModel } = this.#route;
    if (isAboutModel || !speaksRoute(node.engine, this.#route)) return true;
    return speech !== null && this.#unspoken.has(speech, { node: node.index, generation: node.generation }, now);
  }

  /** Why the node cannot be asked in a dialect of its own; null where it can. */
  problemFor({ engine }: NodeSnapshot): Untranslatable | 'no-translator' | null {
    const result = this.#result(engine);
    if (result === null) return 'no-translator';
    return isUntranslatable(result) ? result : null;
  }

  /** The call for a node that knows the model as `upstream`; null where it cannot be said. */
  callFor({ engine, provider }: NodeSnapshot, upstream: string): NodeCall | null {
    const result = this.#result(engine);
    if (result === null || isUntranslatable(result)) return null;
    const told = provider ? asProviderTakesIt(result.call, provider) : result.call;
    return {
      path: result.instead?.to ?? this.#done?.by.to ?? '',
      contentType: 'application/json',
      body: Buffer.from(JSON.stringify({ ...told, model: upstream })),
      telling: { answer: result.answer(), form: this.#form },
    };
  }

  /** The answer has begun: the call is sent to nobody any more. */
  release(): void {
    this.#done = null;
  }

  #result(engine: NodeSnapshot['engine']): Translation | Untranslatable | null {
    const by = translatorFor(this.#route.path, engine);
    if (by === null) return null;
    if (this.#done?.by === by) return this.#done.result;
    const result = by.translate(objectIn(this.#bodyOf()));
    this.#done = { by, result };
    return result;
  }
}

export interface AskedOf {
  readonly snapshot: FleetSnapshot;
  readonly unspoken: Unspoken;
  readonly now: number;
}

/** Judges which nodes of the model `name` can be asked. `bodyOf` gives the request's whole body, until its answer has begun. */
export function planAsking(
  route: NodeRoute,
  form: DialectForm,
  call: AnyCall,
  name: string,
  bodyOf: () => Buffer,
  { snapshot, unspoken, now }: AskedOf,
): Asking | Unaskable {
  const model = placedAs(snapshot, name);
  const { speech } = route;
  const offers = snapshot.models.get(model)?.offers ?? [];
  if (speech === null && offers.every((offer) => speaksRoute(nodeOf(snapshot, offer)?.engine, route))) {
    return { kind: 'asking', model, tried: [], translated: null };
  }
  const translated = isUpload(call) ? null : new TranslatedCall(route, form, unspoken, bodyOf);
  if (translated === null) return amongSpeakers();
  const needed = offers.flatMap((offer) => {
    const node = nodeOf(snapshot, offer);
    return node && translated.isNeededFor(node, now) ? [node] : [];
  });
  // Unknown models are told as such, and before the fleet is known any node may turn up.
  if (offers.length > 0 && needed.length === 0) return { kind: 'asking', model, tried: [], translated };
  const problems = needed.map((node) => translated.problemFor(node));
  if (offers.length > 0 && problems.every((problem) => problem === null)) {
    return { kind: 'asking', model, tried: [], translated };
  }
  const among = amongSpeakers();
  const told = problems.find((problem) => problem !== null && problem !== 'no-translator') ?? null;
  if (told === null) return among;
  const isNobodyLeft = among.kind !== 'asking' || needed.length === offers.length;
  return isNobodyLeft ? { kind: 'untranslatable', problem: told } : among;

  function amongSpeakers(): Asking | Unaskable {
    const tried = speech === null ? lacking() : unspoken.without(snapshot, speech, model, now);
    if (tried === null) return { kind: 'unspoken' };
    return { kind: 'asking', model: placementName(snapshot, speech, model), tried, translated };
  }

  /** Those that lack what all engines of one's own have; null where that is all there are. */
  function lacking(): NodeRef[] | null {
    const without = offers
      .flatMap((offer) => nodeOf(snapshot, offer) ?? [])
      .filter(({ engine }) => !speaksRoute(engine, route));
    if (offers.length > 0 && without.length === offers.length) return null;
    return without.map(({ index, generation }) => ({ node: index, generation }));
  }
}

/** The call as it came, for a node that speaks it. */
export function plainCall(
  route: NodeRoute,
  call: AnyCall,
  contentType: string | undefined,
  body: Buffer,
  upstream: string,
): NodeCall {
  return {
    path: route.path,
    contentType: isUpload(call) ? (contentType ?? '') : 'application/json',
    body: bodyFor(call, body, upstream),
    telling: null,
  };
}

function nodeOf(snapshot: FleetSnapshot, { node }: ModelOffer): NodeSnapshot | null {
  return snapshot.nodes[node] ?? null;
}

/** The body was read as an object before. */
function objectIn(body: Buffer): Json {
  const value: Json = JSON.parse(body.toString());
  return value;
}
