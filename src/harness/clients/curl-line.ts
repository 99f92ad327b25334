/** The line that repeats a raw probe by hand. Base URL and key are left to `ANTHROPIC_BASE_URL` and `ANTHROPIC_API_KEY`. */
import { shellLine, shellWord } from '../../platform/shell-words.ts';
import type { ProbeRequest } from '../types/client.ts';

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
    ...(bytes === undefined ? [] : [`--data-binary ${shellWord(bytes)}`]),
    `"$ANTHROPIC_BASE_URL"${shellWord(target)}`,
  ].join(' ');
}

function headerWord(name: string, value: string): string {
  if (name.toLowerCase() === 'x-api-key') return `"${name}: $ANTHROPIC_API_KEY"`;
  if (name.toLowerCase() === 'authorization') return `"${name}: Bearer $ANTHROPIC_API_KEY"`;
  return shellWord(`${name}: ${value}`);
}
