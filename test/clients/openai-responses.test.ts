import { openaiResponsesClient } from './openai-responses-client.ts';
import { clients } from './clients.ts';
import { holdToRouter } from './hold.ts';

holdToRouter(clients.openaiResponses, openaiResponsesClient);
