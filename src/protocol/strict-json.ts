/**
 * JSON that can be read in one way only (RFC 7493, I-JSON): what is signed must not mean one thing to us and another
 * to whoever signed it.
 */
import { type ParseErrorCode, printParseErrorCode, visit } from 'jsonc-parser';
import { decodeUtf8 } from './utf8.ts';

export type StrictJson = { readonly ok: true; readonly value: unknown } | NoStrictJson;

export interface NoStrictJson {
  readonly ok: false;
  readonly reason: JsonTrouble;
  /** What is wrong, as the end of a sentence about the text. */
  readonly problem: string;
  /** Where; null where that has no one place. */
  readonly at: Position | null;
}

/** In a text, both from 1 on. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export type JsonTrouble = 'bad_encoding' | 'not_json' | 'too_deep' | 'duplicate_key' | 'forbidden_key';

/** Far more than anybody signs, and far less than what a recursive reader of it can bear. */
const MAX_DEPTH = 32;

/**
 * The value of one JSON document in UTF-8. Refused are a byte order mark (RFC 8259, 8.1), trailing bytes, a name that
 * stands twice in one object, the name `__proto__`, and more than 32 levels. Never throws; `problem` never quotes a
 * value: the bytes may be those of another file, named by mistake.
 */
export function readStrictJson(bytes: Uint8Array): StrictJson {
  const text = decodeUtf8(bytes);
  if (text === null) return no('bad_encoding', 'is not UTF-8');
  if (text.startsWith('\u{feff}'))
    return no('bad_encoding', 'begins with a byte order mark', { line: 1, column: 1 });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return noJson(text);
  }
  if (isDeeper(value, MAX_DEPTH)) return no('too_deep', 'is nested too deeply');
  return doubtfulName(text) ?? { ok: true, value };
}

/** The problem with its place, where no name of a file stands before it. */
export const problemWithPlace = ({ problem, at }: Pick<NoStrictJson, 'problem' | 'at'>): string =>
  at === null ? problem : `${problem} (${positionText(at)})`;

export const positionText = ({ line, column }: Position): string => `line ${line}, column ${column}`;

const no = (reason: JsonTrouble, problem: string, at: Position | null = null): NoStrictJson => ({
  ok: false,
  reason,
  problem,
  at,
});

/** The first mistake by its place, which V8 tells of some only. */
function noJson(text: string): NoStrictJson {
  if (text.trim() === '') return no('not_json', 'is no JSON: it is empty');
  let found: NoStrictJson | null = null;
  visit(
    text,
    {
      onError(code, _offset, _length, line, character) {
        found ??= no('not_json', `is no JSON: ${wordsOf(code)}`, { line: line + 1, column: character + 1 });
      },
    },
    { disallowComments: true },
  );
  return found ?? no('not_json', 'is no JSON');
}

const wordsOf = (code: ParseErrorCode): string =>
  SYNTAX.get(printParseErrorCode(code)) ?? 'nothing can stand here';

const SYNTAX: ReadonlyMap<string, string> = new Map([
  ['InvalidSymbol', 'only texts in double quotes, numbers, true, false and null can stand here'],
  ['InvalidNumberFormat', 'this is no number: they are written like 1, -0.5 or 1e9'],
  ['UnexpectedEndOfNumber', 'this is no number: they are written like 1, -0.5 or 1e9'],
  [
    'PropertyNameExpected',
    'a name in double quotes is missing here (no comma stands behind the last member)',
  ],
  ['ValueExpected', 'a value is missing here (no comma stands behind the last one)'],
  ['ColonExpected', 'a ":" is missing before this'],
  ['CommaExpected', 'a "," is missing before this'],
  ['CloseBraceExpected', 'a "}" is missing here'],
  ['CloseBracketExpected', 'a "]" is missing here'],
  ['EndOfFileExpected', 'the document is over before this'],
  ['InvalidCommentToken', 'there are no comments in JSON'],
  ['UnexpectedEndOfComment', 'there are no comments in JSON'],
  ['UnexpectedEndOfString', 'this text has no double quote at its end'],
  ['InvalidUnicode', 'behind \\u stand four hexadecimal digits'],
  ['InvalidEscapeCharacter', 'nothing is written like this behind a "\\"; the character itself is "\\\\"'],
  ['InvalidCharacter', 'a control character in a text is written as an escape, like \\n or \\t'],
]);

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)));

/** The first name in a JSON text, however it is escaped, whose meaning depends on the reader; null where there is none. */
function doubtfulName(text: string): NoStrictJson | null {
  const open: Set<string>[] = [];
  let found: NoStrictJson | null = null;
  visit(text, {
    onObjectBegin: () => void open.push(new Set()),
    onObjectEnd: () => void open.pop(),
    onObjectProperty(name, _offset, _length, line, character) {
      const at = { line: line + 1, column: character + 1 };
      const shown = JSON.stringify(name.slice(0, 64));
      if (open.at(-1)?.has(name) === true) found ??= no('duplicate_key', `names ${shown} twice`, at);
      // To an object of this language it is no member like others.
      if (name === '__proto__')
        found ??= no('forbidden_key', `has the member ${shown}, which is not allowed`, at);
      open.at(-1)?.add(name);
    },
  });
  return found;
}
