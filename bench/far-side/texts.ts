import { Buffer } from 'node:buffer';

// What travels in a measurement. Every request carries its number, and the node's answer carries it back between two of the node's clock
// readings, so that a lost, doubled or swapped answer is found and the node's own time is known without a second channel:
//
//   answer     "#NNNNNNNNN RRRRRRRRRRRRRR SSSSSSSSSSSSSS#" + filler     number, received at, sent at (µs)
//   event      "#NNNNNNNNN SSSSSSSSSSSSSS#"                             place in the stream, sent at; "$" instead of the last "#" ends it
//
// All fields have a fixed width: a text is written once as bytes and its digits are overwritten in place.

export const NUMBER_WIDTH = 9;
export const MICROS_WIDTH = 14;
export const MARK = '"#';
export const MODEL = 'bench';

const zeros = (width: number): string => '0'.repeat(width);
const number = zeros(NUMBER_WIDTH);
const micros = zeros(MICROS_WIDTH);

/** Monotonic µs of this process, whole. */
export function microsNow(): number {
  return Math.round(performance.now() * 1000);
}

/** Overwrites `width` bytes at `at` by the decimal digits of a whole number. */
export function writeDigits(bytes: Buffer, at: number, width: number, value: number): void {
  let rest = value;
  for (let place = at + width - 1; place >= at; place--) {
    bytes[place] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

/** Reads `width` decimal digits, or NaN where there are others. */
export function readDigits(bytes: Buffer, at: number, width: number): number {
  let value = 0;
  for (let place = at; place < at + width; place++) {
    const digit = (bytes[place] ?? 0) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

export interface Text {
  readonly bytes: Buffer;
  /** Where the first digit stands. */
  readonly digitsAt: number;
}

function textOf(written: string): Text {
  const bytes = Buffer.from(written);
  return { bytes, digitsAt: bytes.indexOf(MARK) + MARK.length };
}

const words = 'The quick brown fox jumps over the lazy dog near the river bank — naïvely, at 7 o’clock. ';

/** Readable text of about this many bytes, some of them beyond ASCII, as prompts are. */
function prose(bytes: number): string {
  const line = Buffer.byteLength(words);
  return words.repeat(Math.floor(bytes / line)) + 'x'.repeat(bytes % line);
}

/** A chat request whose body has about `bodyBytes`, complete with its head. */
export function requestText(
  authority: string,
  headers: Readonly<Record<string, string>>,
  model: string,
  path: string,
  stream: boolean,
  bodyBytes: number,
): Text {
  const body = JSON.stringify({
    model,
    stream,
    temperature: 0.7,
    messages: [
      { role: 'system', content: 'You are a helpful assistant.' },
      { role: 'user', content: `#${number}# ${prose(Math.max(0, bodyBytes - 180))}` },
    ],
  });
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: ${authority}`,
    'content-type: application/json',
    'user-agent: weir-bench',
    `accept: ${stream ? 'text/event-stream' : 'application/json'}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return textOf(`${head.join('\r\n')}\r\n\r\n${body}`);
}

const filler = prose(600);
/** What every answer ends in: whatever a router does to JSON on its way, the text must stay the same. */
export const fillerBytes: Buffer = Buffer.from(filler);

/** A node's whole answer of about 1 KB, complete with its head. */
export function answerText(): Text {
  const body = JSON.stringify({
    id: 'chatcmpl-9b1d6f0c2a',
    object: 'chat.completion',
    created: 1_767_225_600,
    model: MODEL,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: `#${number} ${micros} ${micros}# ${filler}` },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 180, completion_tokens: 120, total_tokens: 300 },
  });
  return textOf(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

export const streamHead =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n';

const framed = (data: string): string => `${Buffer.byteLength(data).toString(16)}\r\n${data}\r\n`;

function event(content: string, finishReason: string | null, more: object): string {
  const delta = { content };
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finishReason }];
  const id = 'chatcmpl-9b1d6f0c2a';
  return `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', created: 1_767_225_600, model: MODEL, choices, ...more })}\n\n`;
}

/** One event of a stream in its HTTP chunk. */
export function eventText(): Text {
  return textOf(framed(event(`#${number} ${micros}# word`, null, {})));
}

/** The last event, the end marker and the end of the chunked body. */
export function lastEventText(): Text {
  const usage = { prompt_tokens: 180, completion_tokens: 120, total_tokens: 300 };
  return textOf(`${framed(event(`#${number} ${micros}$`, 'stop', { usage }))}${framed('data: [DONE]\n\n')}0\r\n\r\n`);
}
