import { ollamaClient } from './ollama-client.ts';
import { clients } from './clients.ts';
import { holdToRouter } from './hold.ts';

holdToRouter(clients.ollama, ollamaClient);
