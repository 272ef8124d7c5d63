import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLoopback, parseAddress, parseRange, showAddress } from './addresses.ts';

test('an address is a host and a port, IPv6 in brackets', () => {
  assert.deepEqual(parseAddress('127.0.0.1:9347'), { ok: true, value: { host: '127.0.0.1', port: 9347 } });
  assert.deepEqual(parseAddress('[::1]:9347'), { ok: true, value: { host: '::1', port: 9347 } });
  assert.deepEqual(parseAddress('localhost:0'), { ok: true, value: { host: 'localhost', port: 0 } });
});

test('each way to get an address wrong has its own advice', () => {
  const advice: Record<string, RegExp> = {
    '9347': /no host; write 127\.0\.0\.1:9347/,
    ':9347': /0\.0\.0\.0:9347 for every address/,
    '127.0.0.1': /no port; write HOST:PORT, such as 127\.0\.0\.1:9347/,
    '127.0.0.1:': /no port/,
    '127.0.0.1:65536': /impossible port/,
    '127.0.0.1:http': /impossible port/,
    '::1': /in brackets, such as "\[::1\]:9347"/,
    '::1:9347': /in brackets/,
    '[::g]:1': /no IPv6 address in its brackets/,
    '300.1.1.1:80': /impossible IPv4 address/,
    'http://127.0.0.1:80': /is a URL/,
    'a b:80': /not an address/,
    '': /not an address/,
  };
  for (const [text, expected] of Object.entries(advice)) {
    const reading = parseAddress(text);
    assert.ok(!reading.ok, text);
    assert.match(reading.problem, expected);
  }
});

test('a shown address is read back as the same one', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()), fc.nat(65_535), (host, port) => {
      assert.deepEqual(parseAddress(showAddress({ host, port })), { ok: true, value: { host, port } });
    }),
  );
});

test('only what this machine alone can reach is loopback', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost', '::ffff:127.0.0.1'])
    assert.equal(isLoopback(host), true, host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'localhost.example', '::ffff:10.0.0.1', '']) {
    assert.equal(isLoopback(host), false, host);
  }
});

test('a trusted range is an address or CIDR', () => {
  for (const text of ['10.0.0.7', '10.0.0.0/8', 'fd00::/8', '::1']) assert.equal(parseRange(text).ok, true, text);
  for (const text of ['10.0.0.0/33', '10.0.0', 'proxy', '10.0.0.0/8/8', '10.0.0.0/']) {
    assert.equal(parseRange(text).ok, false, text);
  }
});
