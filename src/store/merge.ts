/** Joins stores and logs of one machine into rollups that count each exchange once. */
import type { Granularity, Rollup } from '../protocol/meter.ts';
import { isPossible, rowOf, type SampleRow, sampleOfRow } from './sample-row.ts';
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

/**
 * Asked between two pieces of the work, of some ten milliseconds; `part` is how much of the store at `path` was read since,
 * of 1. What it rejects with ends the work.
 */
export type Pause = (path: string, part: number) => Promise<void>;

const AT_ONCE = 1_000;
const IDS_AT_ONCE = 10_000;
const ROLLED_AT_ONCE = 5_000;
const DAY_MS = 86_400_000;
const NOTHING = { cooldowns: [], hits: [] };

/**
 * Joins the stores at `paths` in a file of its own at `scratch`, which the caller removes. What a store has forgotten is
 * joined before any sample: its hours count exchanges that another store or a log may still hold. Each store is read as it
 * is at one moment, so that what its proxy forgets meanwhile is neither lost nor counted twice.
 */
export async function mergeStores(
  scratch: string,
  paths: readonly string[],
  pause: Pause = async () => {},
): Promise<{ merge: Merge; stores: MergedStore[] }> {
  using stack = new DisposableStack();
  const merged = stack.use(openStoreFile(scratch));
  merged.db.pragma('synchronous = OFF');
  using opened = new DisposableStack();
  const unread: MergedStore[] = [];
  const found: Moment[] = [];
  for (const path of paths) {
    await pause(path, 0);
    const { value, problem } = await attempt(async () => opened.use(ofSource(() => openMoment(path))));
    if (value === undefined) unread.push({ path, samples: 0, forgotten: 0, problem });
    else found.push(value);
  }
  // The one that went on longest comes before its copies: of two that forgot ids, the one that forgot younger ones.
  const moments = found.toSorted((a, b) => b.idsFrom - a.idsFrom || b.forgotten - a.forgotten);
  const idsFrom = moments[0]?.idsFrom ?? 0;
  const pasts: (Attempt<number> & { readonly moment: Moment })[] = [];
  for (const moment of moments)
    pasts.push({ moment, ...(await attempt(() => joinPast(merged, moment, { idsFrom, pause }))) });
  const isTellable = ([rid, ts]: SampleRow): boolean => ts >= idsFrom || merged.samples.knows(rid);
  const write = writer(merged);
  const joined: MergedStore[] = [];
  for (const [at, { moment, value: forgotten = 0, problem: past }] of pasts.entries()) {
    // What only the first may have forgotten the ids of, it does not hold any more.
    const isWanted = at === 0 ? () => true : isTellable;
    const { added, tooOld, ...samples } = await joinSamples(moment, { isWanted, write, pause });
    const problem = past ?? samples.problem ?? (tooOld === 0 ? null : tooOldToTell(tooOld));
    joined.push({ path: moment.path, samples: added, forgotten, problem });
  }
  stack.move();
  return {
    stores: [...joined, ...unread],
    merge: {
      add(rows) {
        const samples = rows.filter(isTellable);
        return { added: write(samples), tooOld: rows.length - samples.length };
      },
      rollups(granularity) {
        while (merged.rollups.advance(ROLLED_AT_ONCE) > 0);
        return merged.rollups.read({ granularity });
      },
      [Symbol.dispose]: () => merged[Symbol.dispose](),
    },
  };
}

/** Why a source could not be counted; whatever else is thrown is the fault of the scratch file. */
class SourceError extends Error {}

interface Attempt<T> {
  readonly value?: T;
  readonly problem: string | null;
}

async function attempt<T>(act: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await act(), problem: null };
  } catch (error) {
    if (error instanceof SourceError || isMismatch(error)) return { problem: error.message };
    throw error;
  }
}

/** What the scratch file does not take is no fault of its own: only a damaged source has it. */
const isMismatch = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_CONSTRAINT');

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

const damaged = (count: number): string =>
  `left out: ${count === 1 ? '1 exchange' : `${count} exchanges`} with values that none can have: the file is damaged`;

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
async function joinPast(
  merged: StoreFile,
  store: Moment,
  { idsFrom, pause }: { readonly idsFrom: number; readonly pause: Pause },
): Promise<number> {
  const ids = store.db
    .prepare<[], readonly [Buffer | string, number]>('SELECT rid, day FROM forgotten')
    .raw();
  const known = merged.db.prepare<[Buffer | string], number>('SELECT 1 FROM forgotten WHERE rid = ?').pluck();
  let [shared, own, tooOld] = [0, 0, 0];
  for (const [id, day] of each(ids.iterate())) {
    if ((shared + own + tooOld) % IDS_AT_ONCE === 0) await pause(store.path, 0);
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
  const [hours, hoursFrom] = ofSource(() => [store.rollups.ofForgotten(), store.rollups.hoursFrom()]);
  const counted = [...hours.values()].reduce((sum, { count }) => sum + count, 0);
  const forget = merged.db.prepare<[Buffer | string, number]>('INSERT INTO forgotten VALUES (?, ?)');
  await wholly(merged, async () => {
    let copied = 0;
    for (const [id, day] of each(ids.iterate())) {
      forget.run(id, day);
      copied += 1;
      if (copied % IDS_AT_ONCE === 0) await pause(store.path, 0);
    }
    merged.rollups.forgetHours(hoursFrom, 0);
    merged.rollups.addHours(hours);
  });
  return counted;
}

/** A transaction that waits by the way; nobody else has the scratch file open. */
async function wholly({ db }: StoreFile, act: () => Promise<void>): Promise<void> {
  db.exec('BEGIN');
  try {
    await act();
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

type Write = (samples: readonly SampleRow[]) => number;

/** Puts samples in, gives how many were new, and adds up by the way: to do it in the end would be one long piece. */
function writer(merged: StoreFile): Write {
  let waiting = 0;
  return (samples) => {
    const added = merged.write({ samples, ...NOTHING });
    waiting += added;
    if (waiting >= ROLLED_AT_ONCE) waiting -= merged.rollups.advance(ROLLED_AT_ONCE);
    return added;
  };
}

interface Joining {
  readonly isWanted: (row: SampleRow) => boolean;
  readonly write: Write;
  readonly pause: Pause;
}

/** Adds the samples of a store, of a damaged one those before the damage. */
async function joinSamples(
  store: Moment,
  { isWanted, write, pause }: Joining,
): Promise<{ readonly added: number; readonly tooOld: number; readonly problem: string | null }> {
  let [added, tooOld, impossible] = [0, 0, 0];
  let rows: SampleRow[] = [];
  const put = async (): Promise<void> => {
    const batch = rows;
    rows = [];
    added += write(batch);
  };
  // A damaged file may tell of some and not of how many: then nobody knows how far it is.
  const extent = await attempt(async () => ofSource(() => store.samples.extent().samples));
  const all = extent.value ?? Number.POSITIVE_INFINITY;
  const reading = await attempt(async () => {
    let read = 0;
    for (const row of each(ofSource(() => store.samples.each({})))) {
      read += 1;
      if (!isPossible(row)) impossible += 1;
      else if (isWanted(row)) rows.push(rowOf(sampleOfRow(row)));
      else tooOld += 1;
      if (read % AT_ONCE !== 0) continue;
      await put();
      await pause(store.path, AT_ONCE / all);
    }
  });
  await put();
  const problem = reading.problem ?? (impossible === 0 ? null : damaged(impossible));
  return { added, tooOld, problem };
}
