import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callerAddress, proxyList } from './peer-address.ts';

const none = proxyList([]);
const trusted = proxyList(['10.0.0.0/8', '192.168.1.1', 'fd00::/8']);

test('without trusted proxies the peer is the caller, whatever the header says', () => {
  assert.equal(callerAddress('203.0.113.7', '198.51.100.1', none), '203.0.113.7');
  assert.equal(callerAddress('203.0.113.7', '198.51.100.1', trusted), '203.0.113.7');
  assert.equal(callerAddress('::ffff:203.0.113.7', undefined, none), '203.0.113.7');
});

test('an IPv6 caller is its /64', () => {
  assert.equal(callerAddress('2001:db8:1:2:3:4:5:6', undefined, none), '2001:db8:1:2::/64');
  assert.equal(callerAddress('2001:0DB8::1', undefined, none), '2001:db8:0:0::/64');
  assert.equal(callerAddress('::1', undefined, none), '0:0:0:0::/64');
  assert.equal(callerAddress('fe80::1%eth0', undefined, none), 'fe80:0:0:0::/64');
});

test('behind trusted proxies it is the last address that none of them could have invented', () => {
  assert.equal(callerAddress('10.1.1.1', '198.51.100.1', trusted), '198.51.100.1');
  assert.equal(callerAddress('10.1.1.1', '1.2.3.4, 198.51.100.1, 10.2.2.2', trusted), '198.51.100.1');
  assert.equal(callerAddress('fd00::5', '[2001:db8:9::1]:443', trusted), '2001:db8:9:0::/64');
  assert.equal(callerAddress('10.1.1.1', '198.51.100.1:5555', trusted), '198.51.100.1');
  assert.equal(callerAddress('10.1.1.1', '10.2.2.2, 192.168.1.1', trusted), '10.1.1.1');
});

test('nonsense in the header leaves the peer', () => {
  for (const header of ['', 'unknown', 'x,y', ',', 'localhost', '999.1.1.1']) {
    assert.equal(callerAddress('10.1.1.1', header, trusted), '10.1.1.1', header);
  }
});
