/**
 * JSON that can be read in one way only (RFC 7493, I-JSON): what is signed must not mean one thing to us and another
 * to whoever signed it.
 */
import { visit } from 'jsonc-parser';

export type StrictJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: JsonTrouble; readonly detail: string };

export type JsonTrouble = 'bad_encoding' | 'not_json' | 'too_deep' | 'duplicate_key';

/** Far more than anybody signs, and far less than what a recursive reader of it can bear. */
const MAX_DEPTH = 32;

/**
 * The value of a JSON text in UTF-8, without a byte order mark (RFC 8259, 8.1), trailing bytes, a name that stands
 * twice in one object, or more than 32 levels. Never throws; `detail` says where, and never quotes a value: the bytes
 * may be those of another file, named by mistake.
 */
export function parseStrictJson(bytes: Uint8Array): StrictJson {
  const text = decode(bytes);
  if (text === null) return { ok: false, reason: 'bad_encoding', detail: 'its bytes are not UTF-8' };
  if (text.startsWith('\u{feff}')) {
    return { ok: false, reason: 'bad_encoding', detail: 'it begins with a byte order mark' };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, reason: 'not_json', detail: placeIn(text, error) };
  }
  if (isDeeper(value, MAX_DEPTH)) {
    return { ok: false, reason: 'too_deep', detail: `more than ${MAX_DEPTH} levels` };
  }
  const name = duplicateName(text);
  if (name === null) return { ok: true, value };
  return { ok: false, reason: 'duplicate_key', detail: JSON.stringify(name.slice(0, 64)) };
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** V8 tells the place only of some mistakes. */
function placeIn(text: string, error: unknown): string {
  if (text.trim() === '') return 'it is empty';
  const [, at] = /at position (\d+)/.exec(String(error)) ?? [];
  return at === undefined ? 'it breaks the grammar' : `it breaks the grammar at character ${Number(at) + 1}`;
}

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)));

/** A name that stands twice in one object, however it is escaped; null where there is none. */
function duplicateName(text: string): string | null {
  const open: Set<string>[] = [];
  let duplicate: string | null = null;
  visit(text, {
    onObjectBegin: () => void open.push(new Set()),
    onObjectEnd: () => void open.pop(),
    onObjectProperty(name) {
      if (open.at(-1)?.has(name) === true) duplicate ??= name;
      open.at(-1)?.add(name);
    },
  });
  return duplicate;
}
