/**
 * Takes the credentials of a run out of everything that is stored. Each becomes its canary's name in double
 * braces, everywhere and in each disguise alike, so that a stored run can still be searched for leaks and be
 * judged again. Prompt phrases stay: they are no secrets, and they are what ties the witnesses together.
 */
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { formsOf } from '../analysis/hygiene.ts';
import { decodedBody } from '../analysis/oracle/answer.ts';
import { bytesOf, valueOf } from '../analysis/wire.ts';
import type { HeaderPairs, Payload, Transcript } from '../protocol/transcript.ts';
import type { Canary } from '../protocol/witness.ts';

export interface Redactor {
  text(text: string): string;
  transcript(transcript: Transcript): Transcript;
  /** The canaries as a search of the stored run needs them. */
  canaries(): readonly Canary[];
}

const redactors = new WeakMap<readonly Canary[], Redactor>();

/** One for each list of canaries: it is asked for several times with each exchange, and a long run has thousands of them. */
export function createRedactor(canaries: readonly Canary[]): Redactor {
  const known = redactors.get(canaries) ?? redactorOf(canaries);
  redactors.set(canaries, known);
  return known;
}

function redactorOf(canaries: readonly Canary[]): Redactor {
  let stored: readonly Canary[] | undefined;
  const replacements = canaries
    .filter(({ name, value }) => isCredential(name) && value !== '')
    .flatMap(disguisesOf);
  const text = (input: string): string => replaceAll(input, replacements);
  const headers = (pairs: HeaderPairs): HeaderPairs => pairs.map(([name, value]) => [name, text(value)]);
  return {
    text,
    transcript(transcript) {
      const { request, response, ...rest } = transcript;
      return {
        ...rest,
        request: {
          ...request,
          target: text(request.target),
          headers: headers(request.headers),
          body: cleanPayload(request.body, { plain: bytesOf(request.body), encoding: undefined, text }),
        },
        ...(response !== undefined && {
          response: {
            ...response,
            headers: headers(response.headers),
            body: cleanPayload(response.body, {
              plain: decodedBody(transcript),
              encoding: valueOf(response.headers, 'content-encoding'),
              text,
            }),
          },
        }),
      };
    },
    canaries: () =>
      (stored ??= canaries.map((canary) =>
        isCredential(canary.name) ? { ...canary, value: placeholder(canary.name) } : canary,
      )),
  };
}

interface Opened {
  /** The body without its encoding; null where it was not kept, or does not decode. */
  readonly plain: Buffer | null;
  readonly encoding: string | undefined;
  readonly text: (input: string) => string;
}

/** Length and hash stay those of the wire: they are what the other witnesses are compared with. */
function cleanPayload(body: Payload, { plain, encoding = 'identity', text }: Opened): Payload {
  if (body.base64 === undefined || plain === null) return body;
  const before = plain.toString('latin1');
  const after = text(before);
  if (after === before) return body;
  const encode = ENCODERS.get(encoding.toLowerCase());
  const clean = Buffer.from(after, 'latin1');
  return { ...body, base64: (encode === undefined ? clean : encode(clean)).toString('base64') };
}

const ENCODERS: ReadonlyMap<string, (bytes: Buffer) => Buffer> = new Map([
  ['gzip', (bytes) => gzipSync(bytes)],
  ['x-gzip', (bytes) => gzipSync(bytes)],
  ['br', (bytes) => brotliCompressSync(bytes)],
  ['deflate', (bytes) => deflateSync(bytes)],
  ['zstd', (bytes) => zstdCompressSync(bytes)],
]);

const isCredential = (name: string): boolean => !name.startsWith('prompt:');

const placeholder = (name: string): string => `{{${name}}}`;

interface Replacement {
  readonly from: string;
  readonly to: string;
}

/** The same few credentials are hidden again with each exchange of a run. */
const hidden = new WeakMap<Canary, readonly Replacement[]>();

function disguisesOf(canary: Canary): readonly Replacement[] {
  const replacements = hidden.get(canary) ?? disguises(canary);
  hidden.set(canary, replacements);
  return replacements;
}

/** Every form in which a leak is searched for, and the same form of the placeholder. */
function disguises({ name, value }: Canary): Replacement[] {
  const stands = formsOf(placeholder(name));
  const forms = formsOf(value).map(({ form, text }) => ({
    from: text,
    to: stands.find((one) => one.form === form)?.text ?? placeholder(name),
  }));
  const inJson = JSON.stringify(value).slice(1, -1);
  return inJson === value ? forms : [...forms, { from: inJson, to: placeholder(name) }];
}

function replaceAll(input: string, replacements: readonly Replacement[]): string {
  const text = replacements.reduce((rest, { from, to }) => rest.replaceAll(from, to), input);
  const squeezed = text.replaceAll(BREAK, '');
  // Broken over lines: rare, and dear to search for, so only where it is known to be there.
  return replacements
    .filter(({ from }) => squeezed.includes(from))
    .reduce((rest, { from, to }) => rest.replaceAll(broken(from), () => to), text);
}

const BREAK = /\s+|\\[nrt]/g;

const broken = (secret: string): RegExp =>
  new RegExp(
    Array.from(secret, (character) => character.replace(/[^\w\s]/u, String.raw`\$&`)).join(
      String.raw`(?:\s|\\[nrt])*`,
    ),
    'g',
  );
