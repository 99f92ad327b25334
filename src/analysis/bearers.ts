/** Which probes' phrases a request bears. */
import type { Transcript } from '../protocol/transcript.ts';
import { createSearch } from './needles.ts';
import { bytesOf } from './wire.ts';

/** A search of a request, body and headers, for all of these phrases at once. */
export function createBearing(phrases: Iterable<string>): (transcript: Transcript) => ReadonlySet<string> {
  const search = createSearch(phrases);
  return ({ request }) => {
    const texts = [
      bytesOf(request.body)?.toString('utf8') ?? '',
      // No phrase has one, so that none is put together of two values.
      request.headers.map(([, value]) => value).join('\0'),
    ];
    return new Set(texts.flatMap((text) => [...search(text).keys()]));
  };
}
