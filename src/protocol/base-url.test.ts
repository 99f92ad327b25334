import { expect, it } from 'vitest';
import { isLoopbackHost, parseBaseUrl } from './base-url.ts';

it.each([
  ['https://api.anthropic.com', 'https://api.anthropic.com', ''],
  ['https://api.z.ai/api/anthropic/', 'https://api.z.ai', '/api/anthropic'],
  ['https://host:8443/a%2Fb', 'https://host:8443', '/a%2Fb'],
  ['http://127.0.0.1:9000', 'http://127.0.0.1:9000', ''],
  ['http://[::1]:9000/x', 'http://[::1]:9000', '/x'],
  ['http://localhost', 'http://localhost', ''],
])('splits %s', (text, origin, basePath) => {
  expect(parseBaseUrl(text)).toEqual({ origin, basePath });
});

it.each([
  'http://example.com',
  'http://127.0.0.1.example.com',
  'http://localhost.example.com',
  'https://key@example.com',
  'https://example.com?key=1',
  'https://example.com/#',
  'ftp://example.com',
  'example.com',
  '',
])('refuses %j', (text) => {
  expect(parseBaseUrl(text)).toBeNull();
});

it('takes every spelling that the URL parser makes of a loopback address for one', () => {
  expect(parseBaseUrl('http://2130706433:1')).toEqual({ origin: 'http://127.0.0.1:1', basePath: '' });
  expect(['LOCALHOST', '[::1]', '127.255.0.1'].every(isLoopbackHost)).toBe(true);
  expect(['0.0.0.0', '::', '128.0.0.1', ''].some(isLoopbackHost)).toBe(false);
});
