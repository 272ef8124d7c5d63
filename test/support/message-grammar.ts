import assert from 'node:assert/strict';
import { textOf } from '../../src/data-plane/translate/rules.ts';

// The order that Anthropic gives for the events of a message: `message_start`, then blocks one after another, each with its
// index, a start, deltas of its own kind and a stop, then `message_delta`, `message_stop`. Pings may come anywhere.

type Fields = Readonly<Record<string, unknown>>;

export interface ReadMessage {
  readonly head: Fields;
  readonly content: readonly Fields[];
  readonly stopReason: unknown;
  readonly stopSequence: unknown;
  readonly usage: Fields;
}

const deltaTypes: Readonly<Record<string, readonly string[]>> = {
  text: ['text_delta'],
  thinking: ['thinking_delta', 'signature_delta'],
  tool_use: ['input_json_delta'],
};

/** Checks a stream against the grammar and gives the message it told. */
export function readMessageEvents(events: readonly Fields[]): ReadMessage {
  const rest = events.filter(({ type }) => type !== 'ping');
  const [first, ...others] = rest;
  assert.equal(first?.['type'], 'message_start');
  const head = fieldsOf(first?.['message']);
  assert.deepEqual([head['type'], head['role'], head['content']], ['message', 'assistant', []]);
  assert.equal(head['stop_reason'], null);
  const content: Fields[] = [];
  let open: { block: Fields; text: string; json: string } | null = null;
  let ending: Fields | null = null;
  let isOver = false;
  for (const event of others) {
    assert.ok(!isOver, `${String(event['type'])} after message_stop`);
    switch (event['type']) {
      case 'content_block_start':
        assert.equal(open, null, 'a block starts while another is open');
        assert.equal(ending, null, 'a block starts after message_delta');
        assert.equal(event['index'], content.length);
        open = { block: fieldsOf(event['content_block']), text: '', json: '' };
        assert.ok(String(open.block['type']) in deltaTypes);
        break;
      case 'content_block_delta': {
        assert.ok(open, 'a delta outside of a block');
        assert.equal(event['index'], content.length);
        const delta = fieldsOf(event['delta']);
        const type = String(delta['type']);
        assert.ok(deltaTypes[String(open.block['type'])]?.includes(type), `${type} in ${String(open.block['type'])}`);
        open.text += textOf(delta['text']) + textOf(delta['thinking']);
        open.json += textOf(delta['partial_json']);
        break;
      }
      case 'content_block_stop':
        assert.ok(open, 'a stop outside of a block');
        assert.equal(event['index'], content.length);
        content.push(closed(open));
        open = null;
        break;
      case 'message_delta':
        assert.equal(open, null, 'message_delta within a block');
        assert.equal(ending, null, 'two message_delta');
        ending = event;
        break;
      case 'message_stop':
        assert.ok(ending, 'message_stop without message_delta');
        isOver = true;
        break;
      default:
        assert.fail(`an event of type ${String(event['type'])}`);
    }
  }
  assert.ok(isOver, 'no message_stop');
  const { stop_reason: stopReason, stop_sequence: stopSequence } = fieldsOf(ending?.['delta']);
  return { head, content, stopReason, stopSequence, usage: fieldsOf(ending?.['usage']) };
}

function closed({ block, text, json }: { block: Fields; text: string; json: string }): Fields {
  if (block['type'] === 'text') return { type: 'text', text };
  if (block['type'] === 'thinking') return { type: 'thinking', thinking: text };
  const { id, name } = block;
  return { type: 'tool_use', id, name, json };
}

function fieldsOf(value: unknown): Fields {
  assert.ok(typeof value === 'object' && value !== null, `${JSON.stringify(value)} is no object`);
  return { ...value };
}
