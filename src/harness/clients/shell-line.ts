/** Lines that repeat a probe by hand. Base URL and key are left to `ANTHROPIC_BASE_URL` and `ANTHROPIC_API_KEY`. */
import type { ProbeRequest } from '../types/client.ts';

/** Joins words so that a POSIX shell takes them apart again as they are. */
export function shellLine(words: readonly string[]): string {
  return words.map(quote).join(' ');
}

/** A request of the raw client as a curl command, as near as curl comes to it. */
export function curlLine({ method, target, headers, body }: Omit<ProbeRequest, 'timeoutMs'>): string {
  const framing = new Set(['host', 'content-length', 'transfer-encoding']);
  const given = headers.filter(([name]) => !framing.has(name.toLowerCase()));
  const bytes =
    typeof body === 'string' || Buffer.isBuffer(body)
      ? body.toString()
      : body?.map((one) => one.bytes.toString()).join('');
  return [
    shellLine(['curl', '-sS', '-N', '-X', method]),
    ...given.map(([name, value]) => `-H ${headerWord(name, value)}`),
    ...(bytes === undefined ? [] : [`--data-binary ${quote(bytes)}`]),
    `"$ANTHROPIC_BASE_URL"${quote(target)}`,
  ].join(' ');
}

function headerWord(name: string, value: string): string {
  if (name.toLowerCase() === 'x-api-key') return `"${name}: $ANTHROPIC_API_KEY"`;
  if (name.toLowerCase() === 'authorization') return `"${name}: Bearer $ANTHROPIC_API_KEY"`;
  return quote(`${name}: ${value}`);
}

function quote(word: string): string {
  return /^[\w./:@=,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
