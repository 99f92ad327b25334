/**
 * Takes the credentials of a run out of everything that is stored. Each becomes its canary's name in double
 * braces, everywhere alike, so that a stored run can still be searched for leaks and judged again. Prompt
 * phrases stay: they are no secrets, and they are what ties the witnesses together.
 */
import type { HeaderPairs, Payload, Transcript } from '../protocol/transcript.ts';
import type { Canary } from '../protocol/witness.ts';

export interface Redactor {
  text(text: string): string;
  transcript(transcript: Transcript): Transcript;
  /** The canaries as a search of the stored run needs them. */
  canaries(): Canary[];
  /** Names of the credentials that `text` holds in the clear. */
  found(text: string): string[];
}

/** Longer values first: one that contains another must not be left half in the clear. */
export function createRedactor(canaries: readonly Canary[]): Redactor {
  const secrets = canaries
    .filter(({ name, value }) => isCredential(name) && value.length > 0)
    .toSorted((a, b) => b.value.length - a.value.length);
  // A value is searched as it is and as JSON would write it.
  const spellings = secrets.flatMap(({ name, value }) =>
    [...new Set([value, JSON.stringify(value).slice(1, -1)])].map((spelling) => [spelling, name] as const),
  );
  const text = (input: string): string =>
    spellings.reduce((rest, [spelling, name]) => rest.replaceAll(spelling, placeholder(name)), input);
  const headers = (pairs: HeaderPairs): HeaderPairs => pairs.map(([name, value]) => [name, text(value)]);
  const payload = (body: Payload): Payload => {
    if (body.base64 === undefined) return body;
    const bytes = Buffer.from(body.base64, 'base64').toString('latin1');
    const clean = text(bytes);
    // Length and hash stay those of the wire: they are what other witnesses are compared with.
    return clean === bytes ? body : { ...body, base64: Buffer.from(clean, 'latin1').toString('base64') };
  };
  return {
    text,
    transcript: (transcript) => ({
      ...transcript,
      request: {
        ...transcript.request,
        target: text(transcript.request.target),
        headers: headers(transcript.request.headers),
        body: payload(transcript.request.body),
      },
      ...(transcript.response !== undefined && {
        response: {
          ...transcript.response,
          headers: headers(transcript.response.headers),
          body: payload(transcript.response.body),
        },
      }),
    }),
    canaries: () =>
      canaries.map((canary) =>
        isCredential(canary.name) ? { ...canary, value: placeholder(canary.name) } : canary,
      ),
    found: (input) => [
      ...new Set(spellings.flatMap(([spelling, name]) => (input.includes(spelling) ? [name] : []))),
    ],
  };
}

const isCredential = (name: string): boolean => !name.startsWith('prompt:');

const placeholder = (name: string): string => `{{${name}}}`;
