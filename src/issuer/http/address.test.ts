import { expect, it } from 'vitest';
import { visitorOf } from './address.ts';

const LAST = '198.51.100.9, 203.0.113.7';

it.each([
  ['a proxy on this machine', '127.0.0.1', LAST, '203.0.113.7'],
  ['the same over IPv6', '::1', LAST, '203.0.113.7'],
  ['the same as a socket for both tells of it', '::ffff:127.0.0.1', LAST, '203.0.113.7'],
  ['anybody else', '192.0.2.1', LAST, '192.0.2.1'],
  ['anybody else over IPv6', '2001:db8::1', LAST, '2001:db8::1'],
  ['a proxy that names nobody', '127.0.0.1', undefined, '127.0.0.1'],
  ['a proxy that names nothing', '127.0.0.1', ' ', '127.0.0.1'],
])('behind a proxy, believes of %s what it may', (_, peer, forwarded, visitor) => {
  expect(visitorOf({ peer, forwarded, proxied: true })).toBe(visitor);
});

it('believes nobody where no proxy is in front', () => {
  expect(visitorOf({ peer: '127.0.0.1', forwarded: LAST, proxied: false })).toBe('127.0.0.1');
});

it('takes no more than an address can have', () => {
  const forwarded = 'x'.repeat(10_000);
  expect(visitorOf({ peer: '127.0.0.1', forwarded, proxied: true })).toHaveLength(64);
});
