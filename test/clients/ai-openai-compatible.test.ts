import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { aiSdk } from './ai-sdk.ts';
import { clients } from './clients.ts';
import { holdToRouter } from './hold.ts';

holdToRouter(
  clients.aiOpenai,
  aiSdk(({ url, key, model }) =>
    createOpenAICompatible({ name: 'weir', baseURL: `${url}/v1`, apiKey: key, includeUsage: true })(model),
  ),
);
