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
const DAY_MS = 86_400_000;
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
    // The one that went on longest comes before its copies: of two that forgot ids, the one that forgot younger ones.
    .toSorted((a, b) => b.idsFrom - a.idsFrom || b.forgotten - a.forgotten);
  const idsFrom = moments[0]?.idsFrom ?? 0;
  const pasts = moments.map((moment) => ({ moment, ...attempt(() => joinPast(merged, moment, idsFrom)) }));
  const isTellable = ([rid, ts]: SampleRow): boolean => ts >= idsFrom || merged.samples.knows(rid);
  const joined = pasts.map(({ moment, value: forgotten = 0, problem: past }, at) => {
    // What only the first may have forgotten the ids of, it does not hold any more.
    const found = attempt(() => joinSamples(merged, moment, at === 0 ? () => true : isTellable));
    const { added: samples = 0, tooOld = 0 } = found.value ?? {};
    const problem = past ?? found.problem ?? (tooOld === 0 ? null : tooOldToTell(tooOld));
    return { path: moment.path, samples, forgotten, problem };
  });
  stack.move();
  return {
    stores: [...joined, ...unread],
    merge: {
      add(rows) {
        const samples = rows.filter(isTellable);
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

const tooOldToTell = (count: number): string =>
  `left out: ${count === 1 ? '1 exchange' : `${count} exchanges`} from so long ago that another store no longer knows what it counted then`;

interface Moment extends StoreFile {
  readonly path: string;
  /** Ids of what it has forgotten, as far back as it keeps them. */
  readonly forgotten: number;
  readonly idsFrom: number;
}

/** A store in one read transaction, which the first question begins. */
function openMoment(path: string): Moment {
  const store = readStoreFile(path);
  try {
    store.db.exec('BEGIN');
    const idsFrom = store.samples.idsFrom();
    const ids = store.db.prepare<[number], number>('SELECT count(*) FROM forgotten WHERE day >= ?').pluck();
    return { ...store, path, forgotten: ids.get(idsFrom / DAY_MS) ?? 0, idsFrom };
  } catch (error) {
    store[Symbol.dispose]();
    throw error;
  }
}

/**
 * Adds the hours of what a store has forgotten; gives how many exchanges those are. A copy of a store adds nothing: all
 * that it forgot is known, or older than `idsFrom` (epoch milliseconds), from where on the stores together know ids. Of
 * two that share a past and went on by themselves the smaller cannot be told apart, nor one beside others whose ids are
 * so old that it does not keep them, or another one no longer does; throws.
 */
function joinPast(merged: StoreFile, store: Moment, idsFrom: number): number {
  const ids = store.db
    .prepare<[], readonly [Buffer | string, number]>('SELECT rid, day FROM forgotten')
    .raw();
  const known = merged.db.prepare<[Buffer | string], number>('SELECT 1 FROM forgotten WHERE rid = ?').pluck();
  let [shared, own, tooOld] = [0, 0, 0];
  for (const [id, day] of each(ids.iterate())) {
    if (known.get(id) !== undefined) shared += 1;
    else if (day * DAY_MS >= idsFrom) own += 1;
    else tooOld += 1;
  }
  const isFirst = merged.db.prepare('SELECT 1 FROM rollups LIMIT 1').get() === undefined;
  if (shared > 0 && own > 0) {
    throw new SourceError(
      `it shares ${shared} forgotten exchanges with another store and has ${own} of its own: their hours are left out`,
    );
  }
  if (shared > 0 || (own + tooOld === 0 && store.idsFrom === 0)) return 0;
  if (!isFirst && (own === 0 || tooOld > 0)) {
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

function joinSamples(
  merged: StoreFile,
  store: StoreFile,
  isTellable: (row: SampleRow) => boolean,
): { readonly added: number; readonly tooOld: number } {
  let [added, tooOld] = [0, 0];
  let rows: SampleRow[] = [];
  const write = (): void => {
    added += merged.write({ samples: rows, ...NOTHING });
    rows = [];
  };
  for (const row of each(store.samples.each({}))) {
    if (isTellable(row)) rows.push(row);
    else tooOld += 1;
    if (rows.length === AT_ONCE) write();
  }
  write();
  return { added, tooOld };
}
