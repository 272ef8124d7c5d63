import assert from 'node:assert/strict';
import {
  type AnswerTranslation,
  isUntranslatable,
  type Json,
  type Translation,
  type Translator,
} from '../../src/data-plane/translate/translation.ts';

/** The translation of a call that can be said. */
export function translated(translator: Translator, call: Json): Translation {
  const result = translator.translate(call);
  assert.ok(!isUntranslatable(result), `untranslatable: ${JSON.stringify(result)}`);
  return result;
}

/** The field that makes a call unsayable; its sentence must name it. */
export function unsayable(translator: Translator, call: Json): string {
  const result = translator.translate(call);
  assert.ok(isUntranslatable(result), 'it was translated');
  assert.ok(result.message.includes(result.field), result.message);
  return result.field;
}

/** What the client of a stream is told, once the node's has ended well. */
export function streamed(answer: AnswerTranslation, events: readonly Json[]): readonly Json[] {
  return [...events.flatMap((event) => answer.event(event)), ...answer.end(null)];
}

/** The objects of a server-sent stream's data, less the end marker. */
export function eventsOf(stream: Buffer): Json[] {
  const lines = stream.toString().split('\n');
  return lines.filter((line) => line.startsWith('data: {')).map((line): Json => JSON.parse(line.slice(6)));
}

/** One choice's chunk of a chat's stream. */
export function chunk(delta: Json, finish: string | null = null): Json {
  return {
    object: 'chat.completion.chunk',
    created: 1_767_225_600,
    choices: [{ index: 0, delta, finish_reason: finish }],
  };
}
