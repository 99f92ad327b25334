/**
 * JSON that can be read in one way only (RFC 7493, I-JSON): what is signed must not mean one thing to us and another
 * to whoever signed it.
 */
import { visit } from 'jsonc-parser';

export type StrictJson =
  | { readonly ok: true; readonly value: unknown }
  /** `problem` is what is wrong, as the end of a sentence about the text. */
  | { readonly ok: false; readonly reason: JsonTrouble; readonly problem: string };

export type JsonTrouble = 'bad_encoding' | 'not_json' | 'too_deep' | 'duplicate_key' | 'forbidden_key';

/** Far more than anybody signs, and far less than what a recursive reader of it can bear. */
const MAX_DEPTH = 32;

/**
 * The value of one JSON document in UTF-8. Refused are a byte order mark (RFC 8259, 8.1), trailing bytes, a name that
 * stands twice in one object, the name `__proto__`, and more than 32 levels. Never throws; `problem` never quotes a
 * value: the bytes may be those of another file, named by mistake.
 */
export function readStrictJson(bytes: Uint8Array): StrictJson {
  const text = decode(bytes);
  if (text === null) return { ok: false, reason: 'bad_encoding', problem: 'is not UTF-8' };
  if (text.startsWith('\u{feff}'))
    return { ok: false, reason: 'bad_encoding', problem: 'begins with a byte order mark' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, reason: 'not_json', problem: `is no JSON${placeIn(text, error)}` };
  }
  if (isDeeper(value, MAX_DEPTH)) return { ok: false, reason: 'too_deep', problem: 'is nested too deeply' };
  return doubtfulName(text) ?? { ok: true, value };
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
  if (text.trim() === '') return ': it is empty';
  const [, at] = /at position (\d+)/.exec(String(error)) ?? [];
  return at === undefined ? '' : ` from character ${Number(at) + 1} on`;
}

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)));

/** The first name in a JSON text, however it is escaped, whose meaning depends on the reader; null where there is none. */
function doubtfulName(text: string): Extract<StrictJson, { ok: false }> | null {
  const open: Set<string>[] = [];
  let found: Extract<StrictJson, { ok: false }> | null = null;
  visit(text, {
    onObjectBegin: () => void open.push(new Set()),
    onObjectEnd: () => void open.pop(),
    onObjectProperty(name, _offset, _length, line) {
      const place = `${JSON.stringify(name.slice(0, 64))} in line ${line + 1}`;
      if (open.at(-1)?.has(name) === true)
        found ??= { ok: false, reason: 'duplicate_key', problem: `names ${place} twice` };
      // To an object of this language it is no member like others.
      if (name === '__proto__')
        found ??= {
          ok: false,
          reason: 'forbidden_key',
          problem: `has the member ${place}, which is not allowed`,
        };
      open.at(-1)?.add(name);
    },
  });
  return found;
}
