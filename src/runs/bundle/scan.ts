/**
 * The last look for secrets, at what was packed: by the canaries of the runs and by the shapes of credentials, in the
 * text as it is, with its lines joined, percent-decoded, and inside of what is base64 or gzip. Findings name rule and
 * place; never the secret.
 */
import { gunzipSync } from 'node:zlib';
import { findCanaries, findCredentialShapes, type HygieneHit, matchesPlace } from '../../analysis/hygiene.ts';
import { decodedBody } from '../../analysis/oracle/answer.ts';
import { bytesOf } from '../../analysis/wire.ts';
import type { Canary } from '../../protocol/witness.ts';
import { transcriptSchema } from '../stored/stored-witness.ts';

export interface Find {
  /** `canary:<name>`, or the name of a shape. */
  readonly rule: string;
  /** Of the bundle. */
  readonly file: string;
  /** One-based. In what had to be decoded first: that of where the code begins. */
  readonly line: number;
  readonly count: number;
  /** What had to be done to see it, such as `base64, split across lines`; null where it stands there as it is. */
  readonly hidden: string | null;
}

/** A phrase of any prompt: what all of them begin with. */
export const PROMPT_PHRASE = 'canary-phrase-';

/**
 * What ties the witnesses together stands where they speak of a request, and where a report shows one or says how it is
 * repeated; in nothing that the proxy wrote or said.
 */
const HOMES_OF_PHRASES = [
  'index.html',
  'run.json',
  'junit.xml',
  'evidence/*/run.json',
  'evidence/*/junit.xml',
  'evidence/*/ctrf-report.json',
  'evidence/*/report.html',
  'evidence/*/SUMMARY.md',
  'evidence/*/events.jsonl',
  'evidence/*/witness/client.jsonl',
  'evidence/*/witness/upstream.jsonl',
  'evidence/*/witness/canaries.jsonl',
];

/** Base64 in base64 in base64: nobody does that by mistake. */
const DEEPEST = 3;

/** What may stand nowhere in a bundle. */
export interface Secret {
  readonly name: string;
  readonly value: string;
}

/** `file`: its path in the bundle. */
export function scanFile(file: string, content: Buffer, secrets: readonly Secret[]): Find[] {
  const canaries: Canary[] = [
    ...secrets.map(({ name, value }) => ({ name, value, allowed: [] })),
    { name: 'prompt', value: PROMPT_PHRASE, allowed: HOMES_OF_PHRASES },
  ];
  const text = content.toString('latin1');
  const begun = [{ text, how: [], lineOf: asItIs }, ...bodiesIn(file, text)];
  const known = new Set<string>();
  const finds = new Map<string, Find>();
  for (const view of begun.flatMap((one) => [...viewsOf(one, known)])) {
    for (const hit of look(view, file, canaries)) {
      const key = `${hit.rule} ${hit.line} ${hit.hidden}`;
      finds.set(key, { ...hit, count: Math.max(hit.count, finds.get(key)?.count ?? 0) });
    }
  }
  return leastHidden([...finds.values()]);
}

/** What is found as it is need not be told again of each disguise under which it is found, too. */
function leastHidden(finds: readonly Find[]): Find[] {
  const plain = new Set(finds.filter(({ hidden }) => hidden === null).map(({ rule }) => rule));
  return finds.filter(({ rule, hidden }) => hidden === null || !plain.has(rule));
}

/** A text, and what had to be done to get at it. */
interface View {
  readonly text: string;
  readonly how: readonly string[];
  /** The line of the file that belongs to a line of it. */
  readonly lineOf: (line: number) => number;
}

const asItIs = (line: number): number => line;

function look({ text, how, lineOf }: View, file: string, canaries: readonly Canary[]): Find[] {
  const artifact = [{ place: file, text }];
  // What was decoded is looked through for what stands there: every disguise has a view of its own.
  const planted = how.every((step) => step === BODY)
    ? findCanaries(canaries, artifact)
    : plainIn(text, file, canaries);
  const shaped = findCredentialShapes(artifact).filter(
    ({ rule }) => !how.includes(JOINED) || !LOOSE.has(rule),
  );
  return [...planted, ...shaped].map(({ rule, count, line, form = 'plain' }) => {
    const hidden = [...how, ...(form === 'plain' ? [] : [form])];
    return { rule, file, line: lineOf(line), count, hidden: hidden.length === 0 ? null : hidden.join(', ') };
  });
}

function plainIn(text: string, place: string, canaries: readonly Canary[]): HygieneHit[] {
  return canaries.flatMap(({ name, value, allowed }) => {
    const first = text.indexOf(value);
    if (first === -1 || allowed.some((pattern) => matchesPlace(pattern, place))) return [];
    const line = 1 + lineEnds(text, 0, first);
    return [{ rule: `canary:${name}`, place, line, count: text.split(value).length - 1 }];
  });
}

/** A shape that fits prose once its lines are joined. */
const LOOSE: ReadonlySet<string> = new Set(['value-after-auth-word']);

const BODY = 'inside of a body';
const JOINED = 'split across lines';
const ESCAPED = 'percent-encoded';
const BASE64 = 'base64';

/** The text and all that is hidden in it. `known`: code that was looked into already. */
function* viewsOf(view: View, known: Set<string>, depth = 0): Generator<View> {
  yield view;
  if (depth === DEEPEST) return;
  for (const inner of [joined(view), unescaped(view), decoded(view, known)])
    if (inner !== null) yield* viewsOf(inner, known, depth + 1);
}

/**
 * The end of a line, also as JSON (and JSON in JSON), or a mail, writes it. What stands around it is taken off by hand: an
 * expression that begins with a row of blanks or backslashes takes the square of its length.
 */
const LINE_END = /=?(?:\r?\n|\r)|\\[nr]/;

/** Without what indents it, and without the blanks and the further backslashes that were before its end. */
function trimmed(line: string): string {
  let [from, to] = [0, line.length];
  while (from < to && BLANKS.has(line.charAt(from))) from += 1;
  while (to > from && BEFORE_END.has(line.charAt(to - 1))) to -= 1;
  return line.slice(from, to);
}

const BLANKS: ReadonlySet<string> = new Set([' ', '\t']);
const BEFORE_END: ReadonlySet<string> = new Set([...BLANKS, '\\']);

/** Of each side of a line end: as much as any secret has in any code. */
const EDGE = 512;

/**
 * All lines as one, for what is split over many of them; and the seams alone, as what follows on the next line may hide
 * where a secret ends. Where in the file it is cannot be told any more.
 */
function joined({ text, how, lineOf }: View): View | null {
  if (how.includes(JOINED)) return null;
  const parts = text.split(LINE_END);
  if (parts.length === 1) return null;
  // One end of a line may be two of these, as is an empty line: what it is between of must still meet.
  const lines = parts.map(trimmed).filter((line) => line !== '');
  const seams = lines.slice(1).map((line, index) => `${lines[index]?.slice(-EDGE)}${line.slice(0, EDGE)}`);
  return { text: [lines.join(''), ...seams].join('\n'), how: [...how, JOINED], lineOf: () => lineOf(1) };
}

const ESCAPES = /%([0-9A-Fa-f]{2})|\\u00([0-7][0-9A-Fa-f])|\\(\/)/g;

function unescaped({ text, how, lineOf }: View): View | null {
  if (how.includes(ESCAPED)) return null;
  const one = text.replaceAll(ESCAPES, (_all, percent?: string, unicode?: string, slash?: string) => {
    const character = slash ?? String.fromCharCode(Number.parseInt(percent ?? unicode ?? '', 16));
    // Lines stay what they are.
    return character === '\n' ? '\r' : character;
  });
  return one === text ? null : { text: one, how: [...how, ESCAPED], lineOf };
}

/** Rows of the letters of base64. Short ones are matched too, and passed over: to look for long ones is quadratic. */
const CODE = /[A-Za-z0-9+/_-]+/g;
/** Enough for the shortest thing that has a shape. */
const SHORTEST = 24;

/** What is base64 in it, a line each. */
function decoded({ text, how, lineOf }: View, known: Set<string>): View | null {
  const found: { readonly text: string; readonly line: number }[] = [];
  let [line, from] = [1, 0];
  for (const { 0: code, index } of text.matchAll(CODE)) {
    if (code.length < SHORTEST || known.has(code)) continue;
    known.add(code);
    line += lineEnds(text, from, index);
    from = index;
    for (const inner of decodings(code)) found.push({ text: inner.replaceAll('\n', '\r'), line });
  }
  if (found.length === 0) return null;
  return {
    text: found.map((one) => one.text).join('\n'),
    how: [...how, BASE64],
    lineOf: (at) => lineOf(found[at - 1]?.line ?? 1),
  };
}

function lineEnds(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

/** What is longer is a document, which begins where its code does. */
const LONG = 4096;

/** What a row of base64 letters may stand for: a word may have run into the code, so it is tried at each alignment. */
function* decodings(code: string): Generator<string> {
  const starts = code.length > LONG ? [0] : [0, 1, 2, 3];
  for (const start of starts) {
    const text = opened(Buffer.from(code.slice(start), 'base64')).toString('latin1');
    if (READABLE.test(text)) yield text;
  }
}

/** Anything that could be a secret is a row of letters. */
const READABLE = /[\x20-\x7e]{16}/;

function opened(bytes: Buffer): Buffer {
  if (bytes.readUInt16BE(0) !== GZIP) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MOST_UNPACKED });
  } catch {
    // It only looked like it.
    return bytes;
  }
}

const GZIP = 0x1f8b;
const MOST_UNPACKED = 64 * 1024 ** 2;

/** The bodies of transcripts in clear, whatever their encoding was; other text has none. */
function* bodiesIn(file: string, text: string): Generator<View> {
  if (!/\/witness\/(client|upstream)\.jsonl$/.test(file)) return;
  for (const [index, line] of text.split('\n').entries()) {
    const { success, data } = transcriptSchema.safeParse(parsed(line));
    if (!success) continue;
    for (const body of [bytesOf(data.request.body), decodedBody(data)])
      if (body !== null) yield { text: body.toString('latin1'), how: [BODY], lineOf: () => index + 1 };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
