import type { ChatAnswer, ChatUsage, Finish } from '../chat/chat-answer.ts';
import type { Json } from '../translation.ts';

// The object around an answer. It tells the request's settings back, since clients read some of them from here.

/** What a response says of how it was asked for. `store` is false whatever was asked, since nothing is kept. */
function settingsOf(asked: Json): Json {
  return {
    background: false,
    instructions: asked['instructions'] ?? null,
    max_output_tokens: asked['max_output_tokens'] ?? null,
    max_tool_calls: asked['max_tool_calls'] ?? null,
    metadata: asked['metadata'] ?? {},
    parallel_tool_calls: asked['parallel_tool_calls'] ?? true,
    previous_response_id: null,
    reasoning: asked['reasoning'] ?? { effort: null, summary: null },
    service_tier: 'default',
    store: false,
    temperature: asked['temperature'] ?? null,
    text: asked['text'] ?? { format: { type: 'text' } },
    tool_choice: asked['tool_choice'] ?? 'auto',
    tools: asked['tools'] ?? [],
    top_logprobs: 0,
    top_p: asked['top_p'] ?? null,
    truncation: 'disabled',
    user: asked['user'] ?? null,
  };
}

/** A response that is not over yet. */
export function startedResponse(asked: Json, id: string, chat: ChatAnswer): Json {
  return {
    id,
    object: 'response',
    created_at: chat.createdAt ?? 0,
    status: 'in_progress',
    error: null,
    incomplete_details: null,
    model: asked['model'],
    output: [],
    usage: null,
    ...settingsOf(asked),
  };
}

/** The whole response. */
export function endedResponse(asked: Json, id: string, chat: ChatAnswer, output: readonly Json[]): Json {
  const reason = whyIncomplete(chat.finish);
  return {
    ...startedResponse(asked, id, chat),
    status: reason === null ? 'completed' : 'incomplete',
    incomplete_details: reason === null ? null : { reason },
    output,
    usage: usageOf(chat.usage),
  };
}

/** Null where the answer is all that the model had to say. */
export function whyIncomplete(finish: Finish): string | null {
  if (finish === 'length') return 'max_output_tokens';
  return finish === 'filter' ? 'content_filter' : null;
}

function usageOf({ prompt, cached, completion, reasoning }: ChatUsage): Json {
  return {
    input_tokens: prompt,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: completion,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: prompt + completion,
  };
}
