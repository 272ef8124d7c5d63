import type { EngineKind } from '../../fleet/glossary.ts';
import { chatToMessages } from './chat-to-messages/translator.ts';
import { compose } from './compose.ts';
import { messagesToChat } from './messages-to-chat/translator.ts';
import { ollamaChatToChat } from './ollama-to-chat/chat.ts';
import { ollamaEmbeddingsToEmbeddings, ollamaEmbedToEmbeddings } from './ollama-embed/translator.ts';
import { ollamaGenerateToChat } from './ollama-to-chat/generate.ts';
import { ollamaShow } from './ollama-show/translator.ts';
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

const byEndpoint = keyed(pairs);

/** Anthropic has its own dialect only: whatever can be told as chat is told on. */
const toAnthropic = keyed([
  chatToMessages,
  ...pairs.filter(({ from, to }) => to === chatToMessages.from && from !== chatToMessages.to).map(toldOn),
]);

/** How a request to `path` is told to an engine that does not speak it; null where it cannot be. */
export function translatorFor(path: string, engine: EngineKind): Translator | null {
  if (path === ollamaShow.from) return engine === 'ollama' ? ollamaShow : null;
  return (engine === 'anthropic' ? toAnthropic : byEndpoint).get(path) ?? null;
}

function keyed(translators: readonly Translator[]): ReadonlyMap<string, Translator> {
  return new Map(translators.map((translator) => [translator.from, translator]));
}

function toldOn(pair: Translator): Translator {
  return compose(pair, chatToMessages);
}
