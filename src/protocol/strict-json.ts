/** JSON as a signed document must be written: what two readers could understand differently is refused. */
import { visit } from 'jsonc-parser';

export type StrictJson =
  | { readonly ok: true; readonly value: unknown }
  /** What is wrong, as the end of a sentence about the text. */
  | { readonly ok: false; readonly problem: string };

/**
 * Reads one JSON document. Refused besides what is no JSON (RFC 8259): bytes that are not UTF-8, a byte order mark,
 * and an object that names a member twice, of which one reader takes the first and another the last.
 */
export function readStrictJson(bytes: Uint8Array): StrictJson {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { ok: false, problem: 'is not UTF-8' };
  }
  if (text.startsWith('\u{feff}')) return { ok: false, problem: 'begins with a byte order mark' };
  try {
    const value: unknown = JSON.parse(text);
    const problem = doubtfulMember(text);
    return problem === null ? { ok: true, value } : { ok: false, problem };
  } catch (error) {
    // The one reads any depth, the other as deep as the stack is.
    if (error instanceof RangeError) return { ok: false, problem: 'is nested too deeply' };
    return { ok: false, problem: `is no JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** The first member whose meaning depends on the reader, in a text that is JSON; null where there is none. */
function doubtfulMember(text: string): string | null {
  /** The names in each object that is open. */
  const open: Set<string>[] = [];
  let found: string | null = null;
  visit(text, {
    onObjectBegin: () => void open.push(new Set()),
    onObjectEnd: () => void open.pop(),
    onObjectProperty(name, _offset, _length, line) {
      const place = `${JSON.stringify(name)} in line ${line + 1}`;
      if (open.at(-1)?.has(name) === true) found ??= `names ${place} twice`;
      // To an object of this language it is no member like others.
      if (name === '__proto__') found ??= `has the member ${place}, which is not allowed`;
      open.at(-1)?.add(name);
    },
  });
  return found;
}
