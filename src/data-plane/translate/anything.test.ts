import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readMessageEvents } from '../../../test/support/message-grammar.ts';
import { readResponseEvents } from '../../../test/support/response-grammar.ts';
import { chatToMessages } from './chat-to-messages/translator.ts';
import { messagesToChat } from './messages-to-chat/translator.ts';
import { ollamaEmbedToEmbeddings } from './ollama-embed/translator.ts';
import { ollamaChatToChat } from './ollama-to-chat/chat.ts';
import { ollamaGenerateToChat } from './ollama-to-chat/generate.ts';
import { responsesToChat } from './responses-to-chat/translator.ts';
import { isUntranslatable, type AnswerTranslation, type Json, type Translator } from './translation.ts';

// Whatever a client or a node sends: a translation never throws, what it refuses it names, and its streams keep to their grammar.

const words = ['text', 'user', 'assistant', 'tool', 'system', 'function', 'message', 'x', ''];
const fields =
  `type role content text id name index function arguments input source output tool_calls tool_use_id call_id delta
  choices message usage finish_reason stop_reason reasoning reasoning_content refusal content_block partial_json thinking
  prompt_tokens`.split(/\s+/);
const types =
  `text image document tool_use tool_result thinking tool_reference image_url file input_text input_image input_file
  function_call function_call_output reasoning message message_start content_block_start content_block_delta content_block_stop
  message_delta text_delta input_json_delta thinking_delta function json_schema enabled any base64 url content`.split(
    /\s+/,
  );

const { value: anything } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(fc.constantFrom(...words, ...types), fc.integer(), fc.boolean(), fc.constant(null), fc.string()),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...fields), tie('value'), { maxKeys: 5 }),
  ),
}));

function objectWith(names: readonly string[]): fc.Arbitrary<Json> {
  return fc.dictionary(fc.constantFrom(...names), anything, { maxKeys: 6 });
}

const settings = [
  'messages',
  'system',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'stream',
  'stop_sequences',
];
const chatSettings = ['messages', 'tools', 'tool_choice', 'parallel_tool_calls', 'response_format', 'stop', 'user'];
const responseSettings = ['input', 'instructions', 'tools', 'tool_choice', 'text', 'reasoning', 'include', 'store'];

const cases: readonly [Translator, readonly string[]][] = [
  [messagesToChat, settings],
  [chatToMessages, chatSettings],
  [responsesToChat, responseSettings],
  [ollamaChatToChat, ['messages', 'tools', 'options', 'format', 'think', 'keep_alive']],
  [ollamaGenerateToChat, ['images', 'prompt', 'raw', 'system', 'options', 'format', 'context']],
  [ollamaEmbedToEmbeddings, ['input', 'dimensions', 'options']],
];

/** A list of the right shape now and then, so that what lies deeper is reached. */
function callOf(names: readonly string[]): fc.Arbitrary<Json> {
  const part = objectWith(fields);
  const turn = fc.record({ role: fc.constantFrom('user', 'assistant', 'system', 'tool'), content: fc.array(part) });
  const [list = ''] = names;
  return fc.oneof(
    objectWith([...names, ...fields]),
    fc.record({ [list]: fc.array(fc.oneof(turn, part), { maxLength: 4 }) }),
  );
}

for (const [translator, names] of cases) {
  test(`any call to ${translator.from} is told or refused by name`, () => {
    fc.assert(
      fc.property(callOf(names), (call) => {
        const result = translator.translate(call);
        if (isUntranslatable(result)) {
          assert.ok(result.field.length > 0 && result.message.includes(result.field));
        } else assert.doesNotThrow(() => JSON.stringify(result.call));
      }),
      { numRuns: 300 },
    );
  });
}

const turn = { messages: [{ role: 'user', content: 'hi' }] };
const asked: readonly [Translator, Json][] = [
  [messagesToChat, turn],
  [chatToMessages, turn],
  [responsesToChat, { input: 'hi' }],
  [ollamaChatToChat, turn],
  [ollamaChatToChat, {}],
  [ollamaGenerateToChat, { prompt: 'hi' }],
  [ollamaGenerateToChat, { prompt: 'hi', raw: true }],
  [ollamaEmbedToEmbeddings, { input: 'hi' }],
];

function answerOf(translator: Translator, call: Json): AnswerTranslation {
  const result = translator.translate({ model: 'm', ...call });
  assert.ok(!isUntranslatable(result));
  return result.answer();
}

const chunks = fc.array(
  fc.oneof(
    objectWith(fields),
    objectWith(fields).map((delta) => ({ choices: [{ index: 0, delta }] })),
    fc.array(objectWith(fields), { maxLength: 2 }).map((calls) => ({ choices: [{ delta: { tool_calls: calls } }] })),
  ),
  { maxLength: 6 },
);

test('any stream of a node becomes a valid stream', () => {
  fc.assert(
    fc.property(chunks, (events) => {
      const message = answerOf(messagesToChat, turn);
      readMessageEvents([...events.flatMap((event) => message.event(event)), ...message.end(null)]);
      const response = answerOf(responsesToChat, { input: 'hi' });
      readResponseEvents([...events.flatMap((event) => response.event(event)), ...response.end(null)]);
      const ollama = answerOf(ollamaChatToChat, turn);
      const lines = [...events.flatMap((event) => ollama.event(event)), ...ollama.end(null)];
      assert.deepEqual(
        lines.filter(({ done }) => done !== false),
        lines.slice(-1),
      );
      const chat = answerOf(chatToMessages, turn);
      for (const told of [...events.flatMap((event) => chat.event(event)), ...chat.end(null)]) {
        assert.equal(told['object'], 'chat.completion.chunk');
      }
    }),
    { numRuns: 300 },
  );
});

test('any whole answer of a node is told or is none', () => {
  fc.assert(
    fc.property(objectWith(fields), objectWith(fields), (answer, message) => {
      for (const [translator, call] of asked) {
        for (const whole of [answer, { ...answer, choices: [{ message }] }, { ...message, type: 'message' }]) {
          assert.doesNotThrow(() => answerOf(translator, call).whole(whole));
        }
      }
    }),
    { numRuns: 300 },
  );
});
