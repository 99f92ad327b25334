/** Joins stores and logs of one machine into rollups that count each exchange once. */
import type { Granularity, Rollup } from '../protocol/meter.ts';
import type { SampleRow } from './sample-row.ts';
import { openStoreFile, readStoreFile, type StoreFile } from './store-file.ts';

export interface Merge extends Disposable {
  /**
   * Adds the samples of logs; gives how many nobody had brought before, and how many are so old that a store may count
   * them and no longer know their ids: those are left out.
   */
  add(rows: readonly SampleRow[]): { readonly added: number; readonly tooOld: number };
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
 * joined before any sample: its hours count exchanges that another store or a log may still hold. Each store is read as it
 * is at one moment, so that what its proxy forgets meanwhile is neither lost nor counted twice.
 */
export function mergeStores(
  scratch: string,
  paths: readonly string[],
): { merge: Merge; stores: MergedStore[] } {
  using stack = new DisposableStack();
  const merged = stack.use(openStoreFile(scratch));
  merged.db.pragma('synchronous = OFF');
  using opened = new DisposableStack();
  const unread: MergedStore[] = [];
  const moments = paths
    .flatMap((path) => {
      const { value, problem } = attempt(() => opened.use(ofSource(() => openMoment(path))));
      if (value === undefined) unread.push({ path, samples: 0, forgotten: 0, problem });
      return value ?? [];
    })
    .toSorted((a, b) => b.forgotten - a.forgotten);
  const pasts = moments.map((moment) => ({ moment, ...attempt(() => joinPast(merged, moment)) }));
  const idsFrom = Math.max(0, ...moments.map(({ idsFrom: from }) => from));
  const joined = pasts.map(({ moment, value: forgotten = 0, problem: past }) => {
    const { value: samples = 0, problem } = attempt(() => joinSamples(merged, moment));
    return { path: moment.path, samples, forgotten, problem: past ?? problem };
  });
  stack.move();
  return {
    stores: [...joined, ...unread],
    merge: {
      add(rows) {
        const samples = rows.filter(([, ts]) => ts >= idsFrom);
        return { added: merged.write({ samples, ...NOTHING }), tooOld: rows.length - samples.length };
      },
      rollups(granularity) {
        while (merged.rollups.advance(10 * AT_ONCE) > 0);
        return merged.rollups.read({ granularity });
      },
      [Symbol.dispose]: () => merged[Symbol.dispose](),
    },
  };
}

/** Why a source could not be counted; whatever else is thrown is the fault of the scratch file. */
class SourceError extends Error {}

function attempt<T>(act: () => T): { readonly value?: T; readonly problem: string | null } {
  try {
    return { value: act(), problem: null };
  } catch (error) {
    if (error instanceof SourceError) return { problem: error.message };
    throw error;
  }
}

function ofSource<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw sourceError(cause);
  }
}

/** What the caller throws between two rows does not come by here. */
function* each<T>(rows: Iterable<T>): Generator<T, void> {
  try {
    yield* rows;
  } catch (cause) {
    throw sourceError(cause);
  }
}

const sourceError = (cause: unknown): SourceError =>
  new SourceError(cause instanceof Error ? cause.message : String(cause), { cause });

interface Moment extends StoreFile {
  readonly path: string;
  /** Ids that it has forgotten. */
  readonly forgotten: number;
  readonly idsFrom: number;
}

/** A store in one read transaction, which the first question begins. */
function openMoment(path: string): Moment {
  const store = readStoreFile(path);
  try {
    store.db.exec('BEGIN');
    const forgotten = store.db.prepare<[], number>('SELECT count(*) FROM forgotten').pluck().get() ?? 0;
    return { ...store, path, forgotten, idsFrom: store.samples.idsFrom() };
  } catch (error) {
    store[Symbol.dispose]();
    throw error;
  }
}

/**
 * Adds the hours of what a store has forgotten; gives how many exchanges those are. A copy of a store adds nothing: all
 * that it forgot is known. Of two that share a past and went on by themselves the smaller cannot be told apart, nor one
 * beside others whose ids are all so old that it does not keep them; throws.
 */
function joinPast(merged: StoreFile, store: Moment): number {
  const ids = store.db
    .prepare<[], readonly [Buffer | string, number]>('SELECT rid, day FROM forgotten')
    .raw();
  const known = merged.db.prepare<[Buffer | string], number>('SELECT 1 FROM forgotten WHERE rid = ?').pluck();
  let [shared, all] = [0, 0];
  for (const [id] of each(ids.iterate())) {
    all += 1;
    shared += known.get(id) ?? 0;
  }
  if (all === 0 ? store.idsFrom === 0 : shared === all) return 0;
  if (shared > 0) {
    throw new SourceError(
      `it shares ${shared} forgotten exchanges with another store and has ${all - shared} of its own: their hours are left out`,
    );
  }
  const isFirst = merged.db.prepare('SELECT 1 FROM rollups LIMIT 1').get() === undefined;
  if (all === 0 && !isFirst) {
    throw new SourceError(
      'what it has forgotten is too old to be told apart from another store: its hours are left out',
    );
  }
  const hours = ofSource(() => store.rollups.ofForgotten());
  const counted = [...hours.values()].reduce((sum, { count }) => sum + count, 0);
  const forget = merged.db.prepare<[Buffer | string, number]>('INSERT INTO forgotten VALUES (?, ?)');
  merged.db.transaction(() => {
    for (const [id, day] of each(ids.iterate())) forget.run(id, day);
    merged.rollups.forgetHours(store.rollups.hoursFrom(), 0);
    merged.rollups.addHours(hours);
  })();
  return counted;
}

function joinSamples(merged: StoreFile, store: StoreFile): number {
  let added = 0;
  let rows: SampleRow[] = [];
  const write = (): void => {
    added += merged.write({ samples: rows, ...NOTHING });
    rows = [];
  };
  for (const row of each(store.samples.each({}))) {
    rows.push(row);
    if (rows.length === AT_ONCE) write();
  }
  write();
  return added;
}
