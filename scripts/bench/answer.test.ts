import { expect, it } from 'vitest';
import { decodeAnswer } from './answer.ts';

const decode = (text: string): string => decodeAnswer(Buffer.from(text)).toString();

it('joins chunks, whatever their sizes and extensions', () => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  expect(decode(`${head}3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n`)).toBe('abc0123456789');
});

it('leaves a body of known length as it is', () => {
  expect(decode('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc')).toBe('abc');
});

it('refuses an answer without a head, and chunks without a size', () => {
  expect(() => decode('HTTP/1.1 200 OK\r\n')).toThrow('end of its head');
  expect(() => decode('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nabc')).toThrow('without a size');
});
