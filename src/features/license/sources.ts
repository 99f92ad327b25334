/**
 * Where a licence may be set, and which of them counts: the first that is set, also when it is wrong. Falling through
 * to the next would hide the reason, and let an old licence stand in for the one that was meant.
 */
import { MAX_PACK_BYTES, type Reading, readPack, readPair } from './read-pack.ts';
import { type Failure, failure } from './reasons.ts';

/** A licence or a pack as a setting gives it: its text, or the file that holds it. */
export type Located = { readonly literal: string } | { readonly path: string };

/** A signature as a setting gives it: the file `path` if there is one, else `literal` is the signature. */
export interface LocatedSignature {
  readonly literal: string;
  readonly path: string;
}

/** Whether a text is meant to be a signature, though one that may have been cut or wrapped, and no path. */
export const looksLikeSignature = (text: string): boolean => /^[A-Za-z0-9+/_\s-]{80,}[=\s]*$/.test(text);

/** No file has such a name: a licence was put there, and it tells whom it is for. */
const LONGEST_NAME = 255;

/** A path as it may be shown. */
export const shownPath = (path: string): string =>
  path.split('/').some((name) => name.length > LONGEST_NAME) ? `${path.slice(0, 64)}…` : path;

/** One setting that is set. */
export interface Given<T> {
  readonly value: T;
  /** Set on the command line, which goes before everything else. */
  readonly byFlag: boolean;
  /** The flag or variable. */
  readonly name: string;
}

export interface Offers {
  readonly license: Given<Located> | null;
  readonly signature: Given<LocatedSignature> | null;
  readonly pack: Given<Located> | null;
  /** The file that `ccp license set` writes. */
  readonly storedPath: string;
}

/** The place that counts; `label` is how a person would name it. */
export type LicenseSource =
  | {
      readonly kind: 'pair';
      readonly label: string;
      readonly license: Located | null;
      readonly signature: LocatedSignature | null;
    }
  | { readonly kind: 'pack'; readonly label: string; readonly pack: Located }
  | { readonly kind: 'stored'; readonly label: string; readonly path: string };

/** What came of reading a file. */
export type FileRead =
  | { readonly state: 'read'; readonly bytes: Uint8Array }
  | { readonly state: 'absent' | 'no_file' | 'too_large' }
  | { readonly state: 'refused'; readonly why: string };

/** Reads a file of at most `maxBytes`, without blocking on what is none. Never throws. */
export type ReadFile = (path: string, maxBytes: number) => FileRead;

/** Flags > licence and signature > pack > stored file; of flags for both, the licence and its signature. */
export function chooseSource({ license, signature, pack, storedPath }: Offers): LicenseSource {
  const pair = [license, signature].filter((given) => given !== null);
  const isPairByFlag = pair.some(({ byFlag }) => byFlag);
  if (pair.length > 0 && (isPairByFlag || pack?.byFlag !== true)) {
    const label = pair.map(({ name, value }) => labelOf(name, value)).join(' and ');
    return { kind: 'pair', label, license: license?.value ?? null, signature: signature?.value ?? null };
  }
  if (pack !== null) return { kind: 'pack', label: labelOf(pack.name, pack.value), pack: pack.value };
  return { kind: 'stored', label: storedPath, path: storedPath };
}

/** The files on which a source depends. */
export function filesOf(source: LicenseSource): readonly string[] {
  if (source.kind === 'stored') return [source.path];
  const places = source.kind === 'pack' ? [source.pack] : [source.license, source.signature];
  return places.flatMap((place) => (place !== null && 'path' in place ? [place.path] : []));
}

/** Reads what a source holds now. */
export function readSource(source: LicenseSource, read: ReadFile): Reading {
  if (source.kind === 'stored') {
    const found = read(source.path, MAX_PACK_BYTES);
    return found.state === 'absent' ? failure('none') : andThen(content(found, source.path), readPack);
  }
  if (source.kind === 'pack') return andThen(located(source.pack, read), readPack);
  const { license, signature } = source;
  if (license === null) return failure('lone_signature');
  if (signature === null) return failure('unsigned');
  return andThen(located(license, read), (bytes) =>
    andThen(signatureOf(signature, read), (text) => readPair(bytes, text)),
  );
}

type Content = { readonly ok: true; readonly bytes: Uint8Array } | Failure;

const andThen = (found: Content, next: (bytes: Uint8Array) => Reading): Reading =>
  found.ok ? next(found.bytes) : found;

function located(place: Located, read: ReadFile): Content {
  return 'literal' in place
    ? { ok: true, bytes: Buffer.from(place.literal) }
    : content(read(place.path, MAX_PACK_BYTES), place.path);
}

function signatureOf({ literal, path }: LocatedSignature, read: ReadFile): Content {
  const found = read(path, MAX_PACK_BYTES);
  if (found.state !== 'absent') return content(found, path);
  return looksLikeSignature(literal)
    ? { ok: true, bytes: Buffer.from(literal) }
    : failure('unreadable', `there is no file ${shownPath(path)}, and it is no signature`);
}

function content(found: FileRead, path: string): Content {
  switch (found.state) {
    case 'read':
      return { ok: true, bytes: found.bytes };
    case 'absent':
      return failure('unreadable', `there is no file ${shownPath(path)}`);
    case 'no_file':
      return failure('unreadable', `${path} is no file`);
    case 'too_large':
      return failure('too_large', `more than ${MAX_PACK_BYTES} bytes`);
    case 'refused':
      return failure('unreadable', found.why);
  }
}

/** The name of a setting, with the path where it names one. */
function labelOf(name: string, value: Located | LocatedSignature): string {
  return 'literal' in value ? name : `${name} (${shownPath(value.path)})`;
}
