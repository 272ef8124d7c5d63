import assert from 'node:assert/strict';
import { objectOf, textOf } from '../../src/data-plane/translate/rules.ts';

// The order that OpenAI gives for the events of a response: `created`, `in_progress`, items one after another with their parts, deltas
// and `done` events, then one event with the whole response. Every event has the next sequence number.

type Fields = Readonly<Record<string, unknown>>;

const partTypes: Readonly<Record<string, string>> = {
  'response.output_text': 'output_text',
  'response.reasoning_text': 'reasoning_text',
  'response.refusal': 'refusal',
};

/** Checks a stream against the grammar and gives the last event's response. */
export function readResponseEvents(events: readonly Fields[]): Fields {
  events.forEach((event, index) => assert.equal(event['sequence_number'], index));
  assert.deepEqual(typesOf(events.slice(0, 2)), ['response.created', 'response.in_progress']);
  const last = events.at(-1);
  const response = fieldsOf(last?.['response']);
  assert.equal(last?.['type'], `response.${textOf(response['status'])}`);
  assert.equal(fieldsOf(events[0]?.['response'])['id'], response['id']);
  const items: Fields[] = [];
  let rest = events.slice(2, -1);
  while (rest.length > 0) {
    const end = rest.findIndex(({ type }) => type === 'response.output_item.done');
    assert.ok(end > 0, 'an item is not done');
    items.push(readItem(rest.slice(0, end + 1), items.length));
    rest = rest.slice(end + 1);
  }
  assert.deepEqual(response['output'], items);
  return response;
}

function readItem(events: readonly Fields[], outputIndex: number): Fields {
  for (const event of events) assert.equal(event['output_index'], outputIndex);
  const [added, ...others] = events;
  const done = others.pop();
  assert.equal(added?.['type'], 'response.output_item.added');
  const item = fieldsOf(done?.['item']);
  const first = fieldsOf(added?.['item']);
  assert.deepEqual([first['id'], first['type'], first['status']], [item['id'], item['type'], 'in_progress']);
  for (const event of others) assert.equal(event['item_id'], item['id']);
  if (item['type'] === 'function_call') {
    assert.equal(first['arguments'], '');
    assert.equal(readText(others, 'response.function_call_arguments', 'arguments'), item['arguments']);
    return item;
  }
  if (item['type'] === 'custom_tool_call') {
    assert.equal(first['input'], '');
    assert.equal(readText(others, 'response.custom_tool_call_input', 'input'), item['input']);
    return item;
  }
  const [opened, ...inner] = others;
  const closed = inner.pop();
  for (const event of others) assert.equal(event['content_index'], 0);
  assert.deepEqual([opened?.['type'], closed?.['type']], ['response.content_part.added', 'response.content_part.done']);
  assert.deepEqual(item['content'], [closed?.['part']]);
  const part = fieldsOf(closed?.['part']);
  const name = textOf(inner[0]?.['type']).replace(/\.(delta|done)$/, '');
  assert.equal(partTypes[name], part['type']);
  const field = name === 'response.refusal' ? 'refusal' : 'text';
  assert.equal(readText(inner, name, field), part[field]);
  return item;
}

/** Deltas, then a `done` event that says the same. */
function readText(events: readonly Fields[], name: string, field: string): string {
  const done = events.at(-1);
  assert.equal(done?.['type'], `${name}.done`);
  const deltas = events.slice(0, -1);
  for (const { type } of deltas) assert.equal(type, `${name}.delta`);
  const text = deltas.map(({ delta }) => textOf(delta)).join('');
  assert.equal(done?.[field], text);
  return text;
}

function typesOf(events: readonly Fields[]): unknown[] {
  return events.map(({ type }) => type);
}

function fieldsOf(value: unknown): Fields {
  const fields = objectOf(value);
  assert.ok(fields, `${JSON.stringify(value)} is no object`);
  return fields;
}
