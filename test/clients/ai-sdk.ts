import {
  APICallError,
  generateText,
  isStepCount,
  jsonSchema,
  type LanguageModel,
  RetryError,
  streamText,
  tool,
} from 'ai';
import { type Ask, type HeldClient, readLoad } from './hold.ts';

// They go to stderr and tell of models it does not know.
globalThis.AI_SDK_LOG_WARNINGS = false;

/** Vercel's AI SDK over one of its providers. */
export function aiSdk(modelOf: (ask: Ask) => LanguageModel): HeldClient {
  return {
    chat: async (ask) => {
      const { text } = await generateText({ model: modelOf(ask), prompt: ask.prompt, maxRetries: ask.retries });
      return text;
    },
    stream: async function* (ask, signal) {
      const { fullStream } = streamText({
        model: modelOf(ask),
        prompt: ask.prompt,
        maxRetries: ask.retries,
        abortSignal: signal,
        onError: () => undefined,
      });
      for await (const part of fullStream) {
        if (part.type === 'text-delta') yield part.text;
        if (part.type === 'error') throw part.error;
      }
    },
    useTool: async (ask, run) => {
      const { name, description, parameters } = readLoad;
      const inputSchema = jsonSchema<{ node: string }>({ ...parameters, required: [...parameters.required] });
      const execute = (args: { node: string }): Promise<string> => Promise.resolve(run(args));
      const { text } = await generateText({
        model: modelOf(ask),
        prompt: ask.prompt,
        maxRetries: ask.retries,
        tools: { [name]: tool({ description, inputSchema, execute }) },
        stopWhen: isStepCount(2),
      });
      return text;
    },
    told: (error) => {
      const cause = RetryError.isInstance(error) ? error.lastError : error;
      if (APICallError.isInstance(cause)) return { status: cause.statusCode ?? null, message: cause.message };
      return { status: null, message: cause instanceof Error ? cause.message : JSON.stringify(cause) };
    },
  };
}
