/**
 * Reads the routing facts of a JSON request body without building its values: a Claude Code body is over
 * 100 KB, nearly all of it inside strings, and JSON.parse would dominate the cost of an exchange. The bytes are
 * looked at by `body-scan.wat` (docs/decisions/0009); here is what surrounds it.
 */
import { BODY_SCAN_WASM } from './body-scan.wasm.ts';

export interface BodyFacts {
  /** Whether the body is JSON. */
  readonly valid: boolean;
  /** Top-level `model`; null where it is absent or not a string. */
  readonly model: string | null;
  readonly modelSpan: Span | null;
  /** Whether the top-level `stream` is `true`. */
  readonly stream: boolean;
}

/** Byte offsets into the body; those of a string include its quotes. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const NOT_JSON: BodyFacts = { valid: false, model: null, modelSpan: null, stream: false };

/** States of the scanner in which a whole value has been read, where no container is open. */
const COMPLETE: ReadonlySet<number> = new Set([5, 11, 12, 14, 17]);

const MEMBERS: ReadonlyMap<string, number> = new Map([
  ['model', 1],
  ['stream', 2],
]);
/** Six bytes for each letter of the longest of them, and the quotes: no longer key can be one. */
const MAX_KEY_BYTES = 6 * 'stream'.length + 2;

const BEGINNING: Place = { index: 0, offset: 0 };
const NO_BYTES = Buffer.alloc(0);

const BLOCK = 0x20000;
const BLOCK_BYTES = 0x10000;
const STATE_WORDS = 13;

/** What we use of it; its types come with those of a browser only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: ScanExports };
};
interface ScanExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly scan: (length: number) => number;
}

/** The body that is being scanned, and which piece of it, that begins at which offset. */
let scanned: readonly Buffer[] = [];
let place: Place = { index: 0, offset: 0 };
interface Place {
  readonly index: number;
  readonly offset: number;
}

const { memory, scan } = new WebAssembly.Instance(
  new WebAssembly.Module(Buffer.from(BODY_SCAN_WASM, 'base64')),
  { scan: { member: memberOf } },
).exports;
const block = new Uint8Array(memory.buffer, BLOCK, BLOCK_BYTES);
const state = new Int32Array(memory.buffer, 0, STATE_WORDS);

/**
 * Finds top-level `model` and `stream` as `JSON.parse(body.toString())` would see them: any key order, the
 * last of duplicate keys, escaped keys. A byte order mark or a truncated body is not JSON; nor, for us, is a
 * document nested more than 65,535 deep.
 * @param pieces the body, cut anywhere
 */
export function scanBody(pieces: readonly Buffer[]): BodyFacts {
  state.fill(0);
  scanned = pieces;
  let last = 0;
  let offset = 0;
  for (const [index, piece] of pieces.entries()) {
    place = { index, offset };
    offset += piece.length;
    for (let at = 0; at < piece.length && last !== -1; at += BLOCK_BYTES) {
      const part = piece.length <= BLOCK_BYTES ? piece : piece.subarray(at, at + BLOCK_BYTES);
      block.set(part);
      last = scan(part.length);
    }
  }
  scanned = [];
  const [, depth = 0, , , , , , , , start = 0, end = 0, stream = 0] = state;
  if (depth > 0 || !COMPLETE.has(last)) return NOT_JSON;
  const modelSpan = end === 0 ? null : { start, end };
  const model = modelSpan === null ? null : stringAt(pieces, modelSpan);
  return { valid: true, model, modelSpan, stream: stream === 1 };
}

/** The body with another model name in place of the one at `span`; every other byte stays. */
export function spliceModel(pieces: readonly Buffer[], span: Span, model: string): Buffer[] {
  return [
    bytesAt(pieces, { start: 0, end: span.start }),
    Buffer.from(JSON.stringify(model)),
    bytesAt(pieces, { start: span.end, end: Number.POSITIVE_INFINITY }),
  ];
}

/** Asked by the scanner what the key at these offsets means to it. */
function memberOf(start: number, end: number): number {
  if (end - start > MAX_KEY_BYTES) return 0;
  return MEMBERS.get(stringAt(scanned, { start, end }, placeOf(start))) ?? 0;
}

/** Backwards from where the scan stands: a body may have thousands of pieces, and a million keys. */
function placeOf(start: number): Place {
  let { index, offset } = place;
  while (offset > start) {
    index--;
    offset -= scanned[index]?.length ?? 0;
  }
  return { index, offset };
}

/** The scanner has read this string: it parses. */
function stringAt(pieces: readonly Buffer[], span: Span, from?: Place): string {
  return JSON.parse(bytesAt(pieces, span, from).toString());
}

/** @param place of a piece that begins at `start` or before it */
function bytesAt(pieces: readonly Buffer[], { start, end }: Span, { index, offset } = BEGINNING): Buffer {
  const parts: Buffer[] = [];
  let from = offset;
  for (let at = index; at < pieces.length && from < end; at++) {
    const piece = pieces[at] ?? NO_BYTES;
    const to = from + piece.length;
    if (to > start) parts.push(piece.subarray(Math.max(start - from, 0), end - from));
    from = to;
  }
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts);
}
