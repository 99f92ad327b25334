/** The types a setting may have: how its text is read, and the words that say what is allowed. */
import { resolve } from 'node:path';
import { z } from 'zod';

export interface Kind<T> {
  /** For tables: `port`, `duration`, … */
  readonly name: string;
  /** Ends the sentence "must be …". */
  readonly allowed: string;
  readonly schema: z.ZodType<T, string>;
  /** What only the place can settle: a relative path. */
  finish?(value: T, place: Place): T;
  /** The value as a person may see it, where that is not what was written. */
  show?(value: T): string;
  /** Whether the first issue of the schema is a sentence for the person; it stands in place of the value. */
  readonly explains?: true;
}

/** Where the program was started; both absolute. */
export interface Place {
  readonly cwd: string;
  readonly home: string;
}

export const port: Kind<number> = {
  name: 'port',
  allowed: 'a whole number from 0 (any free port) to 65535',
  schema: wholeNumber(0, 65_535),
};

export const flag: Kind<boolean> = {
  name: '0 or 1',
  allowed: '0 or 1',
  schema: z.enum(['0', '1']).transform((text) => text === '1'),
};

export const text: Kind<string> = {
  name: 'text',
  allowed: 'text of at most 1000 characters without control characters',
  schema: z.string().regex(/^[^\p{Cc}]{1,1000}$/u),
};

/** A host name or an IP address, without port and brackets. */
export const host: Kind<string> = {
  name: 'host',
  allowed: 'a host name or an IP address, without a port',
  schema: z.string().regex(/^[\w.:-]{1,253}$/),
};

/** A key or a token: it is sent as a header, so nothing that could end one. */
export const credential: Kind<string> = {
  name: 'secret',
  allowed: 'printable ASCII without spaces',
  schema: z.string().regex(/^[\x21-\x7e]{1,8192}$/),
};

/** A file or a folder. `~/` is the home folder, anything relative counts from the working directory. */
export const path: Kind<string> = {
  name: 'path',
  allowed: 'a path',
  schema: z.string().regex(/^[^\0]{1,4096}$/),
  finish: settlePath,
};

/** What a path means at a place. */
export function settlePath(value: string, { cwd, home }: Place): string {
  return resolve(cwd, value.replace(/^~(?=\/|$)/, home));
}

const DAY_MS = 86_400_000;
const DURATION_UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS } as const;
/** A timer of Node counts in 31 bits and fires at once beyond them (24.8 days). */
const LONGEST_MS = 24 * DAY_MS;

/** Milliseconds, more than none. */
export const duration: Kind<number> = {
  name: 'duration',
  allowed: 'a duration like 250ms, 30s, 5m, 24h or 7d, at most 24d',
  schema: measure(DURATION_UNITS).pipe(z.number().positive().max(LONGEST_MS)),
};

/** Milliseconds; 0 means that there is no limit. */
export const durationOrNone: Kind<number> = {
  name: 'duration',
  allowed: 'a duration like 250ms, 30s, 5m, 24h or 7d, at most 24d, or 0 for no limit',
  schema: z.union([z.literal('0').transform(() => 0), duration.schema]),
};

const SIZE_UNITS = {
  '': 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
} as const;

/** Bytes. */
export const size: Kind<number> = {
  name: 'size',
  allowed: 'a size like 500kB, 5MiB or 1GiB, or a number of bytes, from 1 byte to 4GiB',
  schema: measure(SIZE_UNITS).pipe(
    z
      .int()
      .positive()
      .max(4 * SIZE_UNITS.GiB),
  ),
};

/** A whole number of seconds, for knobs whose name says so. */
export const seconds: Kind<number> = {
  name: 'seconds',
  allowed: 'a whole number of seconds from 1 to 86400',
  schema: wholeNumber(1, 86_400),
};

/** A whole number of days. */
export const days: Kind<number> = {
  name: 'days',
  allowed: 'a whole number of days from 1 to 3650',
  schema: wholeNumber(1, 3650),
};

/** One of a few words. */
export function oneOf<const W extends readonly [string, ...string[]]>(...words: W): Kind<W[number]> {
  return { name: words.join(' or '), allowed: words.join(' or '), schema: z.enum(words) };
}

/** Some of a few words, separated by commas; `none` for the empty list. */
export function listOf<const W extends readonly [string, ...string[]]>(
  ...words: W
): Kind<readonly W[number][]> {
  const isWord = (item: string): item is W[number] => words.includes(item);
  return {
    name: 'list',
    allowed: `a comma-separated list of ${words.join(', ')}, or none`,
    schema: z.string().transform((value, context): readonly W[number][] => {
      if (value === 'none') return [];
      const items = value.split(',').map((item) => item.trim());
      if (items.every(isWord)) return items;
      context.addIssue('unknown word');
      return z.NEVER;
    }),
  };
}

function wholeNumber(least: number, most: number): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.int().min(least).max(most));
}

/** A number with one of the units; fractions are fine (`1.5h`) and the result is whole. */
function measure(units: Readonly<Record<string, number>>) {
  const pattern = new RegExp(`^(\\d{1,15}(?:\\.\\d{1,6})?)(${Object.keys(units).join('|')})$`);
  return z
    .string()
    .regex(pattern)
    .transform((value) => {
      const [, amount = '', unit = ''] = pattern.exec(value) ?? [];
      return Math.round(Number(amount) * (units[unit] ?? Number.NaN));
    });
}
