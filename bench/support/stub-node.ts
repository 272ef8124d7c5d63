// A node that costs as little as possible: it answers every completion after a fixed time of service, with the monotonic moments at
// which it had the request and sent the answer in the body. CLOCK_MONOTONIC is one clock for all processes of the machine.
//
//   node bench/support/stub-node.ts SERVICE_MS     prints its URL
import { createServer } from 'node:http';
import { systemClock } from '../../src/lib/clock.ts';

const serviceMs = Number(process.argv[2] ?? 0);

const server = createServer((request, response) => {
  if (request.url === '/v1/models') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ object: 'list', data: [{ id: 'stub', object: 'model', owned_by: 'bench' }] }));
    return;
  }
  if (request.method !== 'POST') {
    response.writeHead(404).end();
    return;
  }
  request.resume();
  request.on('end', () => {
    const receivedAt = systemClock.now();
    const answer = (): void => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          object: 'chat.completion',
          model: 'stub',
          choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
          usage: { prompt_tokens: 1, completion_tokens: 1 },
          receivedAt,
          sentAt: systemClock.now(),
        }),
      );
    };
    setTimeout(answer, serviceMs);
  });
});
server.keepAliveTimeout = 0;
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`http://127.0.0.1:${address.port}\n`);
});
