import { createAnthropic } from '@ai-sdk/anthropic';
import { aiSdk } from './ai-sdk.ts';
import { clients } from './clients.ts';
import { holdToRouter } from './hold.ts';

holdToRouter(
  clients.aiAnthropic,
  aiSdk(({ url, key, model }) => createAnthropic({ baseURL: `${url}/v1`, apiKey: key })(model)),
);
