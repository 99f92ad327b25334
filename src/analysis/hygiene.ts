/**
 * Looks for secrets where none may be: planted canaries in every usual disguise, and anything that has the
 * shape of a credential. Findings name rule, file, place and count; never the secret.
 */
import type { Artifact, Canary } from './evidence.ts';
import type { LogSource } from './log-reader.ts';
import { createSearch } from './needles.ts';

export interface HygieneHit {
  /** `canary:<name>`, or the name of a shape. */
  readonly rule: string;
  /** Where: the place of an artifact. */
  readonly place: string;
  /** One-based line of the first finding. */
  readonly line: number;
  readonly count: number;
  /** For a canary: how it was disguised. */
  readonly form?: string;
}

/** Shapes of credentials. Each pattern is linear in its input. */
const SHAPES: readonly { readonly rule: string; readonly pattern: RegExp }[] = [
  { rule: 'anthropic-credential', pattern: /sk-ant-[A-Za-z0-9_-]{8,}/g },
  { rule: 'bearer', pattern: /\bbearer(?:\s|%20|\\u0020)+[A-Za-z0-9._~+/-]{16,}/gi },
  { rule: 'zai-key', pattern: /\b[0-9a-f]{32}\.[A-Za-z0-9]{16}\b/g },
  {
    rule: 'value-after-auth-word',
    pattern:
      /(?:api[-_]?key|authorization|secret|password)["']?\s*[:=,]\s*["']?(?:basic\s+)?[A-Za-z0-9+/_-]{32,}/gi,
  },
  { rule: 'json-web-token', pattern: /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g },
  { rule: 'private-key', pattern: /-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----/g },
];

/** Credential shapes in texts, whatever they belong to. */
export function findCredentialShapes(artifacts: readonly Artifact[]): HygieneHit[] {
  return artifacts.flatMap(({ place, text }) => SHAPES.flatMap((shape) => hitsOf(shape, place, text)));
}

/** The text with the name of its shape in the place of each. */
export const withoutCredentialShapes = (text: string): string =>
  SHAPES.reduce((rest, { rule, pattern }) => rest.replaceAll(pattern, `[${rule}]`), text);

function hitsOf({ rule, pattern }: (typeof SHAPES)[number], place: string, text: string): HygieneHit[] {
  const found = [...text.matchAll(pattern)];
  return found[0] === undefined
    ? []
    : [{ rule, place, line: lineAt(text, found[0].index), count: found.length }];
}

/** What a search for canaries came to. */
export interface Sightings {
  /** In places that are not on their list. */
  readonly astray: readonly HygieneHit[];
  /** Those that were seen, as they are, where they may be. */
  readonly atHome: ReadonlySet<Canary>;
}

/** Canaries in places that are not on their list. `*` in an allowed place stands for any characters. */
export const findCanaries = (
  canaries: readonly Canary[],
  artifacts: readonly Artifact[],
): readonly HygieneHit[] => createCanarySearch(canaries)(artifacts).astray;

/** A search for these canaries in every disguise: made once, as a run of thousands of exchanges has one for each. */
export function createCanarySearch(
  canaries: readonly Canary[],
): (artifacts: readonly Artifact[]) => Sightings {
  const disguises = canaries.flatMap((canary) =>
    formsOf(canary.value).map(({ form, text }) => ({ canary, form, text })),
  );
  const search = createSearch(disguises.map(({ text }) => text));
  return (artifacts) => {
    const atHome = new Set<Canary>();
    const astray = artifacts.flatMap(({ place, text }) => {
      const [found, joined] = [search(text), search(squeeze(text))];
      if (found.size + joined.size === 0) return [];
      return disguises.flatMap(({ canary, form, text: needle }) => {
        const { at, count } = found.get(needle) ?? { at: 0, count: 0 };
        const split = (joined.get(needle)?.count ?? 0) - count;
        if (count === 0 && split <= 0) return [];
        if (canary.allowed.some((pattern) => matchesPlace(pattern, place))) {
          if (form === 'plain' && count > 0) atHome.add(canary);
          return [];
        }
        const hit = { rule: `canary:${canary.name}`, place };
        return [
          ...(count > 0 ? [{ ...hit, line: lineAt(text, at), count, form }] : []),
          ...(split > 0 ? [{ ...hit, line: 1, count: split, form: `${form}, split across lines` }] : []),
        ];
      });
    });
    return { astray, atHome };
  };
}

/** Enough for the longest secret in its longest disguise, so that none slips between two blocks. */
const OVERLAP = 4096;

/**
 * Searches files or pipes of any size for credential shapes and for canaries that have no place there, in
 * bounded memory. `place` is the name of the source.
 */
export async function searchSources(
  sources: Iterable<LogSource> | AsyncIterable<LogSource>,
  canaries: readonly Canary[] = [],
): Promise<HygieneHit[]> {
  const planted = createCanarySearch(canaries);
  const found = new Map<string, HygieneHit>();
  for await (const { name: place, chunks } of sources) {
    const search = (text: string) =>
      merged([...findCredentialShapes([{ place, text }]), ...planted([{ place, text }]).astray]);
    let tail = '';
    let linesBefore = 0;
    for await (const chunk of chunks) {
      // Every form of a secret is ASCII, and latin1 can't be cut inside a character.
      const text = tail + Buffer.from(chunk).toString('latin1');
      const known = search(tail);
      for (const [key, hit] of search(text)) {
        const count = hit.count - (known.get(key)?.count ?? 0);
        if (count > 0) addHit(found, { ...hit, count, line: hit.line + linesBefore });
      }
      tail = text.slice(-OVERLAP);
      linesBefore += countOf(text, '\n') - countOf(tail, '\n');
    }
  }
  return [...found.values()];
}

const keyOf = ({ rule, place, form = '' }: HygieneHit): string => [rule, place, form].join('\0');

function merged(hits: readonly HygieneHit[]): Map<string, HygieneHit> {
  const byKey = new Map<string, HygieneHit>();
  for (const hit of hits) addHit(byKey, hit);
  return byKey;
}

function addHit(found: Map<string, HygieneHit>, hit: HygieneHit): void {
  const before = found.get(keyOf(hit));
  found.set(keyOf(hit), before === undefined ? hit : { ...before, count: before.count + hit.count });
}

/** Whether a place is on a list of places; `*` stands for any characters. */
export function matchesPlace(pattern: string, place: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(place);
}

/**
 * The disguises of a secret: as it is, in base64 (also inside a longer text, at any of the three alignments,
 * and in the URL alphabet), in hexadecimal, and percent-encoded.
 */
export function formsOf(secret: string): { readonly form: string; readonly text: string }[] {
  const bytes = Buffer.from(secret);
  const percent = encodeURIComponent(secret);
  const allPercent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const aligned = [0, 1, 2].map((offset) => base64Core(bytes, offset));
  const forms = [
    { form: 'plain', text: secret },
    ...aligned.map((text) => ({ form: 'base64', text })),
    ...aligned.map((text) => ({ form: 'base64', text: text.replaceAll('+', '-').replaceAll('/', '_') })),
    { form: 'hexadecimal', text: bytes.toString('hex') },
    { form: 'hexadecimal', text: bytes.toString('hex').toUpperCase() },
    { form: 'percent-encoded', text: percent },
    { form: 'percent-encoded', text: allPercent },
    { form: 'percent-encoded', text: allPercent.toUpperCase() },
  ];
  return forms.filter(
    ({ text }, index) => text !== '' && forms.findIndex((other) => other.text === text) === index,
  );
}

/** The characters of the base64 of any text with the secret `offset` bytes after a boundary that depend on the secret alone. */
function base64Core(bytes: Buffer, offset: number): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .replaceAll('=', '');
  const tail = (offset + bytes.length) % 3;
  return encoded.slice(offset === 0 ? 0 : offset + 1, tail === 0 ? undefined : -1);
}

/** Without line ends, indentation and their escaped forms, in which a wrapped secret hides. */
const squeeze = (text: string): string => text.replaceAll(/\s+|\\[nrt]/g, '');

const countOf = (text: string, needle: string): number => text.split(needle).length - 1;

function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
