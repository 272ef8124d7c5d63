import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer as createPlainServer, type Server } from 'node:net';
import { test } from 'node:test';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { clientOf, failureOf, post, targetOf } from '../../../test/support/test-client.ts';
import { until } from '../../../test/support/until.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../../test/fixtures/tls/${name}`, import.meta.url), 'utf8');
const cert = fixture('cert.pem');
const key = fixture('key.pem');
const HI = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi';

interface TlsNode extends AsyncDisposable {
  readonly port: number;
  readonly connections: TLSSocket[];
  /** Bytes that came through TLS. */
  received(): string;
}

async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

async function tlsNode(options: TlsOptions = {}, host = '127.0.0.1'): Promise<TlsNode> {
  const connections: TLSSocket[] = [];
  let received = '';
  const server = createServer({ cert, key, ...options }, (socket) => {
    connections.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
      socket.end(HI);
    });
  });
  server.on('tlsClientError', () => undefined);
  const port = await listen(server, host);
  return {
    port,
    connections,
    received: () => received,
    [Symbol.asyncDispose]: () => {
      for (const socket of connections) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

test('a node whose certificate is refused is sent nothing', async () => {
  await using node = await tlsNode();
  using client = clientOf();
  const target = targetOf(`https://127.0.0.1:${node.port}`);
  assert.equal(await failureOf(post(client, target)), 'connect-failed');
  assert.equal(node.received(), '');
});

test('a trusted certificate of another name is refused each time, by whatever version of TLS', async () => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    await using node = await tlsNode({ maxVersion }, '0.0.0.0');
    using client = clientOf();
    // Its certificate names 127.0.0.1 only.
    const target = targetOf(`https://127.0.0.2:${node.port}`, { tls: { ca: cert } });
    for (let sent = 0; sent < 3; sent += 1) assert.equal(await failureOf(post(client, target)), 'connect-failed');
    assert.equal(node.received(), '');
  }
});

test('TLS offers HTTP/1.1 alone, names hosts but not addresses, and takes its last session up again', async () => {
  await using node = await tlsNode({ ALPNProtocols: ['h2', 'http/1.1'] });
  using client = clientOf();
  for (const [host, name] of [
    ['127.0.0.1', false],
    ['localhost', 'localhost'],
  ] as const) {
    const target = targetOf(`https://${host}:${node.port}`, { tls: { verify: false }, pool: host });
    for (const isReused of [false, true]) {
      const { body } = await post(client, target);
      assert.equal(body.toString(), 'hi');
      const socket = node.connections.at(-1);
      assert.ok(socket);
      assert.equal(socket.alpnProtocol, 'http/1.1');
      assert.equal('servername' in socket ? socket.servername : undefined, name);
      assert.equal(socket.isSessionReused(), isReused);
    }
  }
});

test('a node that asks for a certificate is shown ours, and one that refuses us is a failure to connect', async () => {
  await using node = await tlsNode({ requestCert: true, rejectUnauthorized: true, ca: cert });
  using client = clientOf();
  const origin = `https://127.0.0.1:${node.port}`;
  assert.equal((await post(client, targetOf(origin, { tls: { ca: cert, cert, key } }))).body.toString(), 'hi');
  assert.equal(await failureOf(post(client, targetOf(origin, { tls: { ca: cert }, pool: 'other' }))), 'connect-failed');
});

test('TLS material that cannot be used is a failure to connect, told after the exchange was returned', async () => {
  using client = clientOf();
  const target = targetOf('https://127.0.0.1:9', { tls: { ca: 'x', cert: 'nonsense', key: 'nonsense' } });
  assert.equal(await failureOf(post(client, target)), 'connect-failed');
  assert.equal(client.sockets('node').busy, 0);
});

test('a long answer over TLS comes whole', async () => {
  const size = 3_000_000;
  const server = createServer({ cert, key }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      socket.write(Buffer.alloc(size, 'abc'));
    });
  });
  const port = await listen(server);
  using client = clientOf();
  const target = targetOf(`https://127.0.0.1:${port}`, { tls: { verify: false } });
  for (let sent = 0; sent < 2; sent += 1) {
    const { body } = await post(client, target);
    assert.ok(body.equals(Buffer.alloc(size, 'abc')));
  }
  assert.equal(client.sockets('node').opened, 1);
  client.close();
  server.close();
});

test('a name with several addresses is reached at the one that answers, with its port in the host', async (t) => {
  let host = '';
  const server = createPlainServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      host = /^host: (.*)\r$/m.exec(bytes.toString('latin1'))?.[1] ?? '';
      socket.end(HI);
    });
  });
  const port = await listen(server);
  using client = clientOf();
  assert.equal((await post(client, targetOf(`http://localhost:${port}`))).status, 200);
  assert.equal(host, `localhost:${port}`);
  server.close();

  const onlySix = createPlainServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.end(HI));
  });
  const hasSix = await new Promise<boolean>((resolve) => {
    onlySix.once('error', () => resolve(false));
    onlySix.listen(0, '::1', () => resolve(true));
  });
  if (!hasSix) return t.diagnostic('this machine has no IPv6 loopback: an address in brackets was not tried');
  const address = onlySix.address();
  assert.ok(typeof address === 'object' && address !== null);
  assert.equal((await post(client, targetOf(`http://[::1]:${address.port}`, { pool: 'six' }))).status, 200);
  onlySix.close();
});

test('a port that nothing can have is a failure to connect', async () => {
  using client = clientOf();
  assert.equal(await failureOf(post(client, targetOf('http://127.0.0.1:0'))), 'connect-failed');
  await until(() => client.sockets('node').busy === 0, { what: 'nothing to be left' });
});
