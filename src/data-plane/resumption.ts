import { dialects } from './api/dialects.ts';
import type { NodeCall } from './asking.ts';
import type { NodeRef } from './dispatcher/ticket.ts';
import type { EngineKind } from '../fleet/glossary.ts';
import type { Usage } from '../fleet/settlement.ts';
import type { FleetSnapshot, NodeSnapshot } from '../fleet/snapshot.ts';
import { Transcript } from './relay/transcript.ts';
import type { AnswerTranslation, Json } from './translate/translation.ts';

// A stream that broke in the middle goes on at another node, where that is sound: the answer is one plain text, and the engine is known
// to continue a text it is given. The new node is asked with what was said so far at the end of the prompt; what it streams is told
// as the same stream, with its id, its role only once, and the tokens of both. A token that was cut in two by the break may be
// read as two, so the rest can differ from what the first node would have said; at temperature 0 it mostly does not.
//
// Which engines continue an assistant's message: llama.cpp where it is the last one (`tools/server/README.md`), vLLM and SGLang where
// `continue_final_message` says so (their OpenAI-compatible servers' extra parameters). Ollama leaves it to the model's template,
// and what an unknown server does is unknown: they are not asked.

const CONTINUING: ReadonlyMap<EngineKind, Json> = new Map<EngineKind, Json>([
  ['llamacpp', {}],
  ['vllm', { add_generation_prompt: false, continue_final_message: true }],
  ['sglang', { continue_final_message: true }],
]);

const LIMITS = ['max_tokens', 'max_completion_tokens'] as const;

export class Resumption {
  readonly transcript = new Transcript();
  readonly #path: string;
  readonly #body: Buffer;
  /** Of the attempts that broke. */
  #promptTokens: number | null = null;

  /** `body` is that of a request for which `isPlainText` holds. */
  constructor(path: string, body: Buffer) {
    this.#path = path;
    this.#body = body;
  }

  /** True where the text so far is one that another node can go on with. */
  get isPossible(): boolean {
    const { isSound, isFinished } = this.transcript;
    return isSound && !isFinished && this.#callFor({}) !== null;
  }

  /** An attempt broke after it had used this. */
  broke(usage: Usage | null): void {
    this.#promptTokens ??= usage?.promptTokens ?? null;
  }

  /** The rest of the request, for a node that knows the model as `upstream`; null where there is no rest. */
  callFor({ engine }: NodeSnapshot, upstream: string): NodeCall | null {
    const flags = CONTINUING.get(engine);
    const call = flags ? this.#callFor(flags) : null;
    if (call === null) return null;
    return {
      path: this.#path,
      contentType: 'application/json',
      body: Buffer.from(JSON.stringify({ ...call, model: upstream })),
      telling: { answer: this.#rest(), form: dialects.openai },
    };
  }

  /** What both used together. */
  usageOf(rest: Usage | null): Usage | null {
    if (rest === null) return null;
    const { promptTokens, completionTokens } = rest;
    return {
      ...rest,
      promptTokens: this.#promptTokens ?? promptTokens,
      completionTokens: completionTokens === null ? null : completionTokens + this.#saidBefore,
      estimated: true,
    };
  }

  #saidBefore = 0;

  #callFor(flags: Json): Json | null {
    const call: Json = JSON.parse(this.#body.toString());
    const { transcript } = this;
    const left: Record<string, unknown> = {};
    for (const limit of LIMITS) {
      const most = call[limit];
      if (typeof most !== 'number') continue;
      if (most <= transcript.deltas) return null;
      left[limit] = most - transcript.deltas;
    }
    const text = transcript.text();
    if (text === null) return null;
    if (text === '') return { ...call, ...left };
    const { messages, prompt } = call;
    if (typeof prompt === 'string') return { ...call, ...left, prompt: prompt + text };
    if (!Array.isArray(messages)) return null;
    return { ...call, ...left, ...flags, messages: [...messages, { role: 'assistant', content: text }] };
  }

  /** Tells the rest as a part of the stream that was begun. */
  #rest(): AnswerTranslation {
    const head = this.transcript.head() ?? {};
    const said = this.transcript.deltas;
    this.#saidBefore = said;
    return {
      whole: () => null,
      event: (event) => {
        const same = { ...event, id: head['id'] ?? event['id'], created: head['created'] ?? event['created'] };
        const usage = withTokensBefore(event['usage'], said);
        if (usage !== null) return [{ ...same, usage }];
        return [{ ...same, ...withoutRole(event) }];
      },
      end: () => [],
    };
  }
}

/** Those of the model's nodes whose engines are not known to go on with a text. */
export function cannotContinue(snapshot: FleetSnapshot, model: string): NodeRef[] {
  return (snapshot.models.get(model)?.offers ?? []).flatMap(({ node }) => {
    const { engine, generation } = snapshot.nodes[node] ?? { engine: 'openai', generation: 0 };
    return CONTINUING.has(engine) ? [] : [{ node, generation }];
  });
}

/** The tokens that the second node counts as its prompt were the first one's answer. */
function withTokensBefore(usage: unknown, said: number): Json | null {
  if (typeof usage !== 'object' || usage === null) return null;
  const prompt: unknown = Reflect.get(usage, 'prompt_tokens');
  const completion: unknown = Reflect.get(usage, 'completion_tokens');
  return {
    ...usage,
    ...(typeof prompt === 'number' ? { prompt_tokens: Math.max(0, prompt - said) } : {}),
    ...(typeof completion === 'number' ? { completion_tokens: completion + said } : {}),
  };
}

/** The role was told at the stream's beginning. */
function withoutRole({ choices }: Json): Json {
  if (!Array.isArray(choices)) return {};
  return {
    choices: choices.map((choice: unknown) => {
      if (typeof choice !== 'object' || choice === null || !('delta' in choice)) return choice;
      const { delta } = choice;
      if (typeof delta !== 'object' || delta === null || !('role' in delta)) return choice;
      const { role: _role, ...rest } = delta;
      return { ...choice, delta: rest };
    }),
  };
}
