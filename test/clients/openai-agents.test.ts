import { agentsClient } from './openai-agents-client.ts';
import { clients } from './clients.ts';
import { holdToRouter } from './hold.ts';

holdToRouter(clients.agents, agentsClient);
