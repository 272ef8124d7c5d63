import type { Json } from '../translation.ts';

// A conversation written as chat completions takes it, from dialects that know finer parts.
//
// Chat templates are far stricter than the dialect: many refuse a system message that is not the first, two turns of one role in a
// row, or anything between an assistant's calls and their results. So system text is one message at the top; what comes later
// (Claude Code adds such) stays at its place, marked, in a user's turn, since moving it up would change the beginning of the
// prompt and with it lose what engines keep of it from turn to turn. Turns of one role are joined, which Anthropic does itself.
// Results of tools are text only there, so their images follow in a user's turn.
//
// A model's earlier reasoning goes back to it only within the current loop of tools, as `reasoning_content`: that is when models
// are trained to see it, and Anthropic leaves out the rest itself.

/** One part of a user's content. */
export type Part = { readonly type: 'text'; readonly text: string } | (Json & { readonly type: 'image_url' | 'file' });

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON as text. */
  readonly arguments: string;
}

interface UserTurn {
  readonly role: 'user';
  readonly parts: Part[];
  /** The user spoke: what was thought before is over. */
  isFresh: boolean;
}

interface AssistantTurn {
  readonly role: 'assistant';
  readonly texts: string[];
  readonly reasoning: string[];
  readonly calls: ToolCall[];
}

interface ToolTurn {
  readonly role: 'tool';
  readonly id: string;
  readonly text: string;
}

export class ChatTurns {
  readonly #system: string[] = [];
  readonly #turns: (UserTurn | AssistantTurn | ToolTurn)[] = [];
  #resultParts: Part[] = [];

  /** Before anything else it joins the system message. */
  system(text: string): void {
    if (text === '') return;
    if (this.#turns.length === 0) this.#system.push(text);
    else this.#user([{ type: 'text', text: `<system>\n${text}\n</system>` }], false);
  }

  /** `isFresh`: false where it only accompanies results of tools. */
  user(parts: readonly Part[], isFresh = true): void {
    if (parts.length > 0) this.#user(parts, isFresh);
  }

  says(text: string): void {
    if (text !== '') this.#assistant().texts.push(text);
  }

  thinks(text: string): void {
    if (text !== '') this.#assistant().reasoning.push(text);
  }

  calls(call: ToolCall): void {
    this.#assistant().calls.push(call);
  }

  /** The result of a call; parts that are no text follow in a user's turn. */
  result(id: string, text: string, others: readonly Part[]): void {
    this.#turns.push({ role: 'tool', id, text });
    if (others.length > 0) this.#resultParts.push({ type: 'text', text: `From the result of ${id}:` }, ...others);
  }

  /** As `messages` of a chat completion. */
  messages(): Json[] {
    this.#flushResultParts();
    const loopStart = this.#turns.findLastIndex((turn) => turn.role === 'user' && turn.isFresh);
    const told = this.#turns.flatMap((turn, index) => tell(turn, index > loopStart));
    return this.#system.length > 0 ? [{ role: 'system', content: this.#system.join('\n\n') }, ...told] : told;
  }

  #user(parts: readonly Part[], isFresh: boolean): void {
    this.#flushResultParts();
    this.#append(parts, isFresh);
  }

  #append(parts: readonly Part[], isFresh: boolean): void {
    const last = this.#turns.at(-1);
    if (last?.role === 'user') {
      last.parts.push(...parts);
      last.isFresh ||= isFresh;
    } else this.#turns.push({ role: 'user', parts: [...parts], isFresh });
  }

  #assistant(): AssistantTurn {
    this.#flushResultParts();
    const last = this.#turns.at(-1);
    if (last?.role === 'assistant') return last;
    const turn: AssistantTurn = { role: 'assistant', texts: [], reasoning: [], calls: [] };
    this.#turns.push(turn);
    return turn;
  }

  #flushResultParts(): void {
    const parts = this.#resultParts;
    this.#resultParts = [];
    if (parts.length > 0) this.#append(parts, false);
  }
}

function tell(turn: UserTurn | AssistantTurn | ToolTurn, isInLoop: boolean): Json[] {
  if (turn.role === 'tool') return [{ role: 'tool', tool_call_id: turn.id, content: turn.text }];
  if (turn.role === 'user') return [{ role: 'user', content: contentOf(turn.parts) }];
  const { texts, reasoning, calls } = turn;
  const thought = isInLoop ? reasoning.join('\n') : '';
  if (texts.length === 0 && calls.length === 0 && thought === '') return [];
  return [
    {
      role: 'assistant',
      content: texts.length === 0 && calls.length > 0 ? null : texts.join(''),
      ...(thought !== '' && { reasoning_content: thought }),
      ...toldCalls(calls),
    },
  ];
}

/** An assistant's `tool_calls`; no field at all where there are none. */
export function toldCalls(calls: readonly ToolCall[]): Json {
  if (calls.length === 0) return {};
  return {
    tool_calls: calls.map(({ id, name, arguments: args }) => ({
      id,
      type: 'function',
      function: { name, arguments: args },
    })),
  };
}

/** Plain text where it is nothing but text: every server and every chat template takes that. */
function contentOf(parts: readonly Part[]): string | readonly Part[] {
  const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  return texts.length === parts.length ? texts.join('\n\n') : parts;
}
