import type { EngineKind } from '../../fleet/glossary.ts';
import { messagesToChat } from './messages-to-chat/translator.ts';
import { ollamaChatToChat } from './ollama-chat-to-chat.ts';
import { ollamaEmbeddingsToEmbeddings, ollamaEmbedToEmbeddings } from './ollama-embed-to-embeddings.ts';
import { ollamaGenerateToChat } from './ollama-generate-to-chat.ts';
import { ollamaShow } from './ollama-show.ts';
import { responsesToChat } from './responses-to-chat/translator.ts';
import type { Translator } from './translation.ts';

// Which translation lets a node of a make that does not speak a client's endpoint serve it all the same; and which tells again what
// a node that speaks it says of itself.

const pairs: readonly Translator[] = [
  messagesToChat,
  responsesToChat,
  ollamaChatToChat,
  ollamaGenerateToChat,
  ollamaEmbedToEmbeddings,
  ollamaEmbeddingsToEmbeddings,
];

const byEndpoint: ReadonlyMap<string, Translator> = new Map(pairs.map((pair) => [pair.from, pair]));

/** How a request to `path` is told to an engine that does not speak it; null where it cannot be. */
export function translatorFor(path: string, engine: EngineKind): Translator | null {
  if (path === ollamaShow.from) return engine === 'ollama' ? ollamaShow : null;
  return byEndpoint.get(path) ?? null;
}
