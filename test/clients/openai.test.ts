import { openaiClient } from './openai-client.ts';
import { clients } from './clients.ts';
import { holdToRouter } from './hold.ts';

holdToRouter(clients.openai, openaiClient);
