/** Joins stores and logs of one machine into rollups that count each exchange once. */
import type { Granularity, Rollup } from '../protocol/meter.ts';
import type { SampleRow } from './sample-row.ts';
import { openStoreFile, readStoreFile, type StoreFile } from './store-file.ts';

export interface Merge extends Disposable {
  /** Adds the samples of logs; gives how many nobody had brought before. */
  add(rows: readonly SampleRow[]): number;
  rollups(granularity: Granularity): readonly Rollup[];
}

/** What came of one store. */
export interface MergedStore {
  readonly path: string;
  /** Samples that no other source had brought. */
  readonly samples: number;
  /** Exchanges of which only hours are left, and which they still count. */
  readonly forgotten: number;
  /** Why some of it could not be counted, a sentence; null where all was. */
  readonly problem: string | null;
}

const AT_ONCE = 1_000;
const NOTHING = { cooldowns: [], hits: [] };

/**
 * Joins the stores at `paths` in a file of its own at `scratch`, which the caller removes. What a store has forgotten is
 * joined before any sample: its hours count exchanges that another store or a log may still hold.
 */
export function mergeStores(
  scratch: string,
  paths: readonly string[],
): { merge: Merge; stores: MergedStore[] } {
  const merged = openStoreFile(scratch);
  merged.db.pragma('synchronous = OFF');
  const pasts = paths
    .map((path) => ({ path, forgotten: countForgotten(path) }))
    .toSorted((a, b) => (b.forgotten ?? 0) - (a.forgotten ?? 0))
    .map(({ path }) => ({ path, ...attempt(() => joinPast(merged, path)) }));
  const stores = pasts.map(({ path, value: forgotten = 0, problem: past }) => {
    const { value: samples = 0, problem } = attempt(() => joinSamples(merged, path));
    return { path, samples, forgotten, problem: past ?? problem };
  });
  return {
    stores,
    merge: {
      add: (samples) => merged.write({ samples, ...NOTHING }),
      rollups(granularity) {
        while (merged.rollups.advance(10 * AT_ONCE) > 0);
        return merged.rollups.read({ granularity });
      },
      [Symbol.dispose]: () => merged[Symbol.dispose](),
    },
  };
}

function attempt(act: () => number): { readonly value?: number; readonly problem: string | null } {
  try {
    return { value: act(), problem: null };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

const COUNT_FORGOTTEN = 'SELECT count(*) FROM forgotten';

/** Null where the store cannot be read; then joining it says why. */
function countForgotten(path: string): number | null {
  const { value = null } = attempt(() => {
    using store = readStoreFile(path);
    return store.db.prepare<[], number>(COUNT_FORGOTTEN).pluck().get() ?? 0;
  });
  return value;
}

/**
 * Adds the hours of what a store has forgotten; gives how many exchanges those are. A copy of a store adds nothing: all
 * that it forgot is known. Of two that share a past and went on by themselves the smaller cannot be told apart; throws.
 */
function joinPast(merged: StoreFile, path: string): number {
  using store = readStoreFile(path);
  const ids = store.db.prepare<[], Buffer | string>('SELECT rid FROM forgotten').pluck();
  const known = merged.db.prepare<[Buffer | string], number>('SELECT 1 FROM forgotten WHERE rid = ?').pluck();
  let [shared, all] = [0, 0];
  for (const id of ids.iterate()) {
    all += 1;
    shared += known.get(id) ?? 0;
  }
  if (shared === all) return 0;
  if (shared > 0) {
    throw new Error(
      `it shares ${shared} forgotten exchanges with another store and has ${all - shared} of its own: their hours are left out`,
    );
  }
  const forget = merged.db.prepare<[Buffer | string]>('INSERT INTO forgotten VALUES (?)');
  merged.db.transaction(() => {
    for (const id of ids.iterate()) forget.run(id);
    merged.rollups.addHours(store.rollups.ofForgotten());
  })();
  return all;
}

function joinSamples(merged: StoreFile, path: string): number {
  using store = readStoreFile(path);
  let added = 0;
  let rows: SampleRow[] = [];
  const write = (): void => {
    added += merged.write({ samples: rows, ...NOTHING });
    rows = [];
  };
  for (const row of store.samples.each({})) {
    rows.push(row);
    if (rows.length === AT_ONCE) write();
  }
  write();
  return added;
}
