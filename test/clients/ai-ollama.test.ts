import { createOllama } from 'ollama-ai-provider-v2';
import { aiSdk } from './ai-sdk.ts';
import { clients } from './clients.ts';
import { holdToRouter } from './hold.ts';

holdToRouter(
  clients.aiOllama,
  aiSdk(({ url, key, model }) =>
    createOllama({ baseURL: `${url}/api`, headers: { authorization: `Bearer ${key}` } })(model),
  ),
);
