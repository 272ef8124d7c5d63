import { langchainClient } from './langchain-client.ts';
import { clients } from './clients.ts';
import { holdToRouter } from './hold.ts';

holdToRouter(clients.langchain, langchainClient);
