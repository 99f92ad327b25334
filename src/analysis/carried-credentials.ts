import type { Transcript } from '../protocol/transcript.ts';
import type { Evidence } from './evidence.ts';

const HEADERS = new Set(['authorization', 'x-api-key', 'cookie', 'proxy-authorization']);

/**
 * The headers in which a request carries a credential, each with the name of that where it is one of the run:
 * `x-api-key (zai-key)`. Its value is not told.
 */
export function carriedCredentials(
  { request }: Transcript,
  { canaries }: Pick<Evidence, 'canaries'>,
): string[] {
  return request.headers
    .filter(([name]) => HEADERS.has(name.toLowerCase()))
    .map(([name, sent]) => {
      const known = canaries.find(({ value }) => value !== '' && sent.includes(value));
      return known === undefined ? name : `${name} (${known.name})`;
    });
}

/** For a violation about a request that nobody had to send: what it carried; nothing where it carried no credential. */
export function sightOfCredentials(
  transcript: Transcript,
  evidence: Pick<Evidence, 'canaries'>,
): { readonly words: string; readonly saw?: Readonly<Record<string, string>> } {
  const carried = carriedCredentials(transcript, evidence);
  return carried.length === 0
    ? { words: '' }
    : { words: ' with a credential', saw: { [transcript.observer]: carried.join(', ') } };
}
