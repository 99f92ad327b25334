/** Reads the store of a target out of its file (contract, section 8): what is on disk, whatever the target says. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type Database from 'better-sqlite3';
import type { Sample } from '../protocol/meter.ts';
import type { KeptStore } from '../protocol/witness.ts';

const FILE = 'ccp.sqlite3';
/** A writer holds the file for a batch or a checkpoint, which is over in milliseconds. */
const BUSY_MS = 2_000;

/** Where a target that is told nothing else keeps its store. */
export const storeFile = (logsDir: string): string => path.join(logsDir, FILE);

/** Whether a file of the logs folder is no text: the store, or what SQLite and its owner put beside it. */
export const isStoreFile = (name: string): boolean => name.startsWith(FILE);

/** The store as it lies there; the target may run. Never rejects. */
export async function readStore(file: string): Promise<KeptStore> {
  return inspect(file, (database) => ({ kind: 'read', rows: rowsOf(database) }) as const, {
    problem: (problem) => ({ kind: 'unreadable', problem }) as const,
  });
}

/** How many rows there are; 0 where nothing can be read. */
export async function countRows(file: string): Promise<number> {
  return inspect(file, (database) => Number(database.prepare('SELECT count(*) FROM samples').pluck().get()), {
    problem: () => 0,
  });
}

export interface KeptHour extends Pick<Sample, 'lane' | 'model'> {
  /** Epoch milliseconds of its beginning. */
  readonly start: number;
  readonly count: number;
}

/** What the rollups count of each hour, lane and model; nothing where nothing can be read. */
export async function readHours(file: string): Promise<readonly KeptHour[]> {
  return inspect(file, (database) => database.prepare<[], KeptHour>(HOURS).all(), { problem: () => [] });
}

const HOURS = `SELECT start, lane, model, sum(count) AS count FROM rollups WHERE granularity = 'hour'
  GROUP BY start, lane, model`;

/** What SQLite finds when it looks at every page; null where it cannot open the file. */
export async function integrityOf(file: string): Promise<string | null> {
  return inspect(file, (database) => database.prepare('PRAGMA integrity_check').pluck().all().join('; '), {
    problem: () => null,
  });
}

async function inspect<T, P>(
  file: string,
  look: (database: Database.Database) => T,
  { problem }: { readonly problem: (what: string) => P },
): Promise<T | P> {
  if (!existsSync(file)) return problem('there is no file');
  // A native module that most worlds and no test of this folder need.
  const { default: open } = await import('better-sqlite3');
  try {
    const database = open(file, { readonly: true, fileMustExist: true, timeout: BUSY_MS });
    try {
      return look(database);
    } finally {
      database.close();
    }
  } catch (error) {
    return problem(error instanceof Error ? error.message : String(error));
  }
}

const rowsOf = (database: Database.Database): readonly Sample[] =>
  database.prepare('SELECT * FROM samples ORDER BY rowid').all().map(sampleOf).filter(isSampleLike);

const KINDS = ['input', 'output', 'cache_read', 'cache_write_5m', 'cache_write_1h'] as const;

/** SQLite's own number of a row, which says nothing of the sample. */
const ROW_NUMBER = 'seq';

/**
 * A row under the names of `Sample`: tokens, which lie flat, as one value (null where there is none of any kind), and
 * `h2` as what it means. Nothing else is changed: what it holds is for a check to judge.
 */
export function sampleOf(row: unknown): Readonly<Record<string, unknown>> {
  const fields = Object.entries(typeof row === 'object' && row !== null ? row : {});
  const values = new Map<string, unknown>(fields);
  const counts = KINDS.map((kind) => [kind, values.get(`tokens_${kind}`) ?? null] as const);
  const rest = fields.filter(([name]) => name !== ROW_NUMBER && !name.startsWith('tokens_'));
  return {
    ...Object.fromEntries(rest),
    h2: flagOf(values.get('h2')),
    tokens: counts.every(([, count]) => count === null) ? null : Object.fromEntries(counts),
  };
}

/** SQLite has no truth values. */
const flagOf = (value: unknown): unknown => (value === 1 ? true : value === 0 ? false : value);

/** What it holds under each name is a claim. */
const isSampleLike = (
  row: Readonly<Record<string, unknown>>,
): row is Readonly<Record<string, unknown>> & Sample => 'rid' in row;

/** Every run of printable characters in a file that is no text: enough to find a secret by. */
export const printableIn = (bytes: Buffer): string =>
  (bytes.toString('latin1').match(/[\x20-\x7e]{6,}/g) ?? []).join('\n');
