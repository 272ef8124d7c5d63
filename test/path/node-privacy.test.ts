import assert from 'node:assert/strict';
import { createServer as createTcpServer, type Server } from 'node:net';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { startDataPlane, type TestDataPlane } from '../support/start-data-plane.ts';
import { post, rawClient } from '../support/raw-client.ts';

// Canaries are planted in everything a node can say outside generated text, and whatever a client then sees is searched
// for them, raw bytes and all: address, host:port, URL and name, plain and in base64 and hex.

interface Canary {
  readonly url: string;
  readonly name: string;
  /** What no client may see, in any case. */
  readonly words: readonly string[];
}

type Saying = (canary: Canary) => string;

const path = '/v1/chat/completions';
/** Of each dialect and form of stream; the node is an Ollama, which has them all. */
const targets = [path, '/v1/responses', '/v1/messages', '/api/chat', '/api/embed', '/api/show'];

async function listen(server: Server, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  // A failed assertion must end the test, not leave it hanging on this server.
  server.unref();
  server.on('connection', (socket) => socket.unref());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

function canaryOf(host: string, port: number, name: string): Canary {
  const written = host.includes(':') ? `[${host}]` : host;
  const hostPort = `${written}:${port}`;
  const plain = [hostPort, name, `canary-cookie`, `canary-header`, ...(host === 'localhost' ? [] : [host])];
  const encoded = [hostPort, name].flatMap((text) => {
    const bytes = Buffer.from(text);
    return [bytes.toString('base64'), bytes.toString('base64url').replace(/=+$/, ''), bytes.toString('hex')];
  });
  return { url: `http://${hostPort}`, name, words: [...plain, ...encoded, `:${port}`] };
}

/** Everything about the node in one sentence. */
function tale({ url, name, words }: Canary): string {
  return `${name} at ${url}/v1 said no (${words.filter((word) => !/^canary-[ch]|^:/.test(word)).join(' ')}) ${url.slice(7)}`;
}

function headersOf(canary: Canary): string {
  const { url, name } = canary;
  return [
    `server: ${name}`,
    `via: 1.1 ${url.slice(7)}`,
    `location: ${url}/elsewhere`,
    `set-cookie: canary-cookie=${name}`,
    `x-served-by: canary-header ${url}`,
    `retry-after: ${name}`,
    `www-authenticate: Bearer realm="${name}"`,
    `cache-control: no-store, ${name}`,
    `link: <${url}>`,
    '',
  ].join('\r\n');
}

function answer(status: number, type: string, body: (canary: Canary) => string): Saying {
  return (canary) => {
    const bytes = body(canary);
    return `HTTP/1.1 ${status} ${canary.name}\r\ncontent-type: ${type}\r\n${headersOf(canary)}content-length: ${Buffer.byteLength(bytes)}\r\n\r\n${bytes}`;
  };
}

const openaiError = (canary: Canary): string =>
  JSON.stringify({ error: { message: tale(canary), type: canary.name, code: canary.url } });
const detail = (canary: Canary): string =>
  JSON.stringify({ detail: [{ loc: ['body', canary.name], msg: tale(canary), url: canary.url }] });
const escaped = (canary: Canary): string => JSON.stringify({ error: tale(canary) }).replaceAll('/', String.raw`\/`);

/** Where the bytes are cut in two writes, so that what follows meets an answer that has begun. */
const CUT = '\u0001cut';
const delta = 'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n';
const streamHead = (canary: Canary, type = 'text/event-stream'): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}; node=${canary.name}\r\n${headersOf(canary)}connection: close\r\n\r\n`;

const sayings: readonly (readonly [string, Saying])[] = [
  ...[301, 302, 307, 400, 401, 403, 404, 409, 413, 418, 422, 429, 500, 502, 503, 504].flatMap(
    (status): [string, Saying][] => [
      [`${status} in OpenAI's form`, answer(status, 'application/json', openaiError)],
      [`${status} in FastAPI's form`, answer(status, 'application/json', detail)],
      [`${status} with escapes`, answer(status, 'application/json', escaped)],
      [`${status} in plain text`, answer(status, 'text/plain', tale)],
      [
        `${status} as a page`,
        answer(status, 'text/html', (canary) => `<html><a href="${canary.url}">${tale(canary)}</a></html>`),
      ],
    ],
  ),
  ['200 with an error', answer(200, 'application/json', openaiError)],
  ['200 with a page', answer(200, 'text/html', tale)],
  ['200 with torn JSON', answer(200, 'application/json', (canary) => openaiError(canary).slice(0, -1))],
  ['no HTTP', (canary) => tale(canary)],
  ['a broken head', (canary) => `HTTP/1.1 200 OK\r\nbad header ${canary.name}\r\n\r\n${canary.url}`],
  ['a stream whose first event is an error', (canary) => `${streamHead(canary)}data: ${openaiError(canary)}\n\n`],
  [
    'an error within a stream',
    (canary) => `${streamHead(canary)}${delta}${CUT}data: ${openaiError(canary)}\n\ndata: ${tale(canary)}\n\n`,
  ],
  [
    'an error event within a stream',
    (canary) => `${streamHead(canary)}${delta}${CUT}event: error\ndata: ${tale(canary)}\n\n`,
  ],
  [
    'an error field within a stream',
    (canary) => `${streamHead(canary)}${delta}${CUT}error: ${openaiError(canary)}\n\n`,
  ],
  ['a stream that is torn', (canary) => `${streamHead(canary)}${delta}${CUT}data: ${openaiError(canary).slice(0, -4)}`],
  [
    'a good answer with the path and the fingerprint of the node',
    (canary) =>
      answer(200, `application/json; host="${canary.name}"`, () =>
        JSON.stringify({ model: `/srv/${canary.name}/m.gguf`, system_fingerprint: tale(canary), choices: [] }),
      )(canary),
  ],
  [
    'a good stream with the path and the fingerprint of the node',
    (canary) =>
      `${streamHead(canary)}data: {"model":"/srv/${canary.name}","system_fingerprint":${JSON.stringify(tale(canary))},"choices":[]}\n\ndata: [DONE]\n\n`,
  ],
];

/** Sends one request as raw bytes and returns all that came back until the connection closed. */
async function exchange(router: TestDataPlane, target: string, stream: boolean): Promise<string> {
  using client = rawClient(router.url);
  client.send(post(target, JSON.stringify({ model: 'llama3', stream, messages: [] }), ['connection: close']));
  await client.closed();
  return client.received();
}

function assertSilent(received: string, canary: Canary, what: string): void {
  assert.match(received, /^HTTP\/1\.1 \d{3} /, what);
  const lower = received.toLowerCase();
  for (const word of canary.words)
    assert.equal(lower.includes(word.toLowerCase()), false, `${what}: ${word} in ${received}`);
}

for (const host of ['127.0.0.77', 'localhost', '::1']) {
  test(`nothing that a node at ${host} says in an error, a header or beside its text tells where it is`, async () => {
    let saying: Saying = tale;
    let canary: Canary | null = null;
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      let asked = '';
      socket.on('data', (chunk: Buffer) => {
        asked += chunk.toString('latin1');
        // The body is one JSON object; its end is the request's end.
        if (!asked.endsWith('}') || !canary) return;
        asked = '';
        const [first = '', rest] = saying(canary).split(CUT);
        if (rest === undefined) socket.end(first);
        else socket.write(first, () => setTimeout(() => socket.end(rest), 20));
      });
    });
    const port = await listen(server, host);
    canary = canaryOf(host, port, 'canary-rack-b7');
    const node = {
      url: canary.url,
      name: canary.name,
      models: { llama3: `/srv/${canary.name}/m.gguf` },
      engine: 'ollama' as const,
    };
    let interrupted = 0;
    for (const [what, say] of sayings) {
      saying = say;
      await using router = await startDataPlane([node, node, node], { queue: { timeoutMs: 50 } });
      for (const target of targets) {
        for (const stream of [false, true]) {
          const received = await exchange(router, target, stream);
          assertSilent(received, canary, `${what}, ${target}`);
          if (received.includes('stream_interrupted')) interrupted += 1;
        }
      }
      for (const listed of ['/v1/models', '/api/tags', '/api/ps', '/api/version']) {
        const list = await fetch(router.url + listed);
        assertSilent(`HTTP/1.1 200 ${JSON.stringify([...list.headers])}${await list.text()}`, canary, listed);
      }
    }
    assert.equal(interrupted, 8 * targets.length, 'four ways of failing within a stream, asked for in two ways');
    server.close();
    // A node that is not there.
    await using router = await startDataPlane([node, node], { queue: { timeoutMs: 50 } });
    assertSilent(await exchange(router, path, false), canary, 'nobody listens');
  });
}

test('generated text that contains a node’s address passes byte for byte', async () => {
  const server = createServer((request, response) => {
    const text = `see http://${request.headers.host}/v1 or canary-rack-b7 (127.0.0.1), "model":"/srv/m"`;
    request.resume().on('end', () => {
      if (request.headers.accept === 'text/event-stream') {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(
          `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\ndata: [DONE]\n\n`,
        );
      } else {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ model: 'llama3', choices: [{ message: { content: text, model: '/srv/m' } }] }));
      }
    });
  });
  const port = await listen(server, '127.0.0.1');
  await using router = await startDataPlane([{ url: `http://127.0.0.1:${port}`, name: 'canary-rack-b7' }]);
  const text = JSON.stringify(`see http://127.0.0.1:${port}/v1 or canary-rack-b7 (127.0.0.1), "model":"/srv/m"`);
  const whole = await router.chat();
  assert.equal(await whole.text(), `{"model":"llama3","choices":[{"message":{"content":${text},"model":"/srv/m"}}]}`);
  const stream = await router.chat({ stream: true }, { headers: { accept: 'text/event-stream' } });
  assert.equal(await stream.text(), `data: {"choices":[{"index":0,"delta":{"content":${text}}}]}\n\ndata: [DONE]\n\n`);
  server.close();
  server.closeAllConnections();
});
