import { anthropicClient } from './anthropic-client.ts';
import { clients } from './clients.ts';
import { holdToRouter } from './hold.ts';

holdToRouter(clients.anthropic, anthropicClient);
