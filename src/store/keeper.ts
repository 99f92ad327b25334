/**
 * What the storing thread does: keeps one file open, and does to it what it is asked. A file that turns out to be
 * damaged is set aside and a new one begun; where its name is gone or another file's, that one is gone on with. What
 * fails is thrown, and the file is tried again by the next request.
 */
import { rmSync } from 'node:fs';
import type {
  Cooldown,
  Diversions,
  DiversionsQuery,
  HistoryQuery,
  HoursQuery,
  LimitHit,
  ModelHours,
  Rollup,
  RollupQuery,
  SamplePage,
  SampleQuery,
  SpanQuery,
} from '../protocol/meter.ts';
import { inodeOf, setAside } from './damage.ts';
import { CHECKED_AT_START, isDamage, isSqlite } from './database.ts';
import { sizeOf } from './file-size.ts';
import { KEEP_HOURS_MS } from './rollups.ts';
import type { HistoryRows } from './samples.ts';
import { type Batch, type FileStatus, openStoreFile, type StoreFile } from './store-file.ts';

/** What can be asked of the storing thread; one argument each, which must survive the way between threads. */
export interface Keeper {
  /** Makes sure that the file is open; gives whether it was made, and whether it is too large to have been checked. */
  open(): { readonly isNew: boolean; readonly unchecked: boolean };
  /** Looks, where a file is open, whether it is still there, and whether somebody imported into it and is done. */
  look(): void;
  write(batch: Batch): void;
  /**
   * Rolls up, then forgets, a piece of what is due; `more` where it is to be asked again. Forgets nothing by a clock that
   * is not to be trusted: null.
   */
  tend(age: Age | null): { readonly rolledUp: number; readonly more: boolean };
  page(query: SampleQuery): SamplePage;
  history(query: HistoryQuery): HistoryRows;
  diversions(query: DiversionsQuery): Diversions;
  rollups(query: RollupQuery): readonly Rollup[];
  spans(query: SpanQuery): readonly Rollup[];
  hoursOf(query: HoursQuery): readonly ModelHours[];
  knowsLane(lane: string): boolean;
  cooldowns(now: number): readonly Cooldown[];
  limitHits(): readonly LimitHit[];
  status(): FileStatus;
  /** A check of a file found damage; nothing happens where another has its name by now. */
  damaged(found: Damage): void;
  close(): void;
}

/** What is older than `keepMs` (milliseconds) at `now` (epoch milliseconds) is forgotten. */
export interface Age {
  readonly now: number;
  readonly keepMs: number;
}

export interface Damage {
  readonly problem: string;
  /** Of the file that was read. */
  readonly inode: bigint;
}

export interface KeeperOptions {
  readonly path: string;
  /** Told what became of the file, a sentence, where another is gone on with. */
  readonly onAnother: (whatBecame: string) => void;
  /** Told after another process put in exchanges of before, once it has put in no more between two looks. */
  readonly onImport: () => void;
}

/** A piece of work short enough (0.1 s) that exchanges to be written never wait long for it, here or in another process. */
const ROLLED_AT_ONCE = 5_000;
const FORGOTTEN_AT_ONCE = 2_000;
const READ_AT_ONCE = 2_000;
const LOOKED_AT_ONCE = 20_000;

interface Opened extends StoreFile {
  readonly inode: bigint | null;
  /** Of its write-ahead log. */
  readonly log: bigint | null;
}

/** Nothing is opened before the first request. */
export function createKeeper({ path, onAnother, onImport }: KeeperOptions): Keeper {
  let opened: Opened | null = null;
  /** What the last request found at `path`. */
  let named: bigint | null = null;
  /** What was left for another that is not open yet. */
  let left: bigint | null = null;
  /** As they were when the first file was opened, or `onImport` was told; and as the last look found them. */
  let told: number | null = null;
  let imports: number | null = null;

  const close = (): void => {
    opened?.[Symbol.dispose]();
    opened = null;
  };

  const open = (): Opened => {
    // Asked before each request, for 1 µs of this thread: nobody tells who holds a file that its name is gone.
    named = inodeOf(path);
    if (opened !== null && named !== opened.inode) leave(opened);
    if (opened === null) {
      opened = { ...openStoreFile(path), inode: inodeOf(path), log: inodeOf(logOf(path)) };
      if (left !== null && left !== named) onAnother(goneOn(path, named));
      left = null;
    }
    told ??= opened.imports();
    return opened;
  };

  /**
   * SQLite goes by names: the next file would take the log of this one for its own, and be overwritten by it. Closing
   * leaves a log alone once the file has another name, so one that is not ours by now is safe; and what ours holds would be
   * lost to a file that was only renamed.
   */
  const leave = ({ db, inode, log }: Opened): void => {
    left = inode;
    try {
      db.pragma('wal_checkpoint(TRUNCATE)');
    } catch {
      // As if the file were deleted, which it may be.
    }
    close();
    if (log !== null && inodeOf(logOf(path)) === log) {
      for (const file of [logOf(path), `${path}-shm`]) rmSync(file, { force: true });
    }
  };

  const replace = (problem: string, inode: bigint | null): void => {
    close();
    const aside = setAside(path, inode, Date.now());
    if (aside === null) return;
    left = null;
    onAnother(`the store was damaged (${problem}) and set aside as ${aside}; a new one is begun`);
  };

  const using = <T>(act: (file: Opened) => T): T => {
    try {
      return act(open());
    } catch (error) {
      if (!isDamage(error)) {
        // A full disk and a lock pass; after anything else the file is opened anew.
        if (isSqlite(error) && !/^SQLITE_(BUSY|FULL)/.test(error.code)) close();
        throw error;
      }
      replace(error instanceof Error ? error.message : String(error), opened?.inode ?? named);
      return act(open());
    }
  };

  return {
    open: () => {
      const isNew = sizeOf(path) === 0;
      return using(() => ({ isNew, unchecked: sizeOf(path) > CHECKED_AT_START }));
    },
    look: () => {
      if (opened === null) return;
      using((file) => {
        const before = imports;
        imports = file.imports();
        // Not at each piece of a long one: who is told counts a whole week anew.
        if (imports === told || imports !== before) return;
        told = imports;
        onImport();
      });
    },
    write: (batch) => void using((file) => file.write(batch)),
    tend: (age) =>
      using(({ rollups, samples, cooldowns, limitHits }) => {
        const rolledUp = rollups.advance(ROLLED_AT_ONCE);
        if (rolledUp === ROLLED_AT_ONCE) return { rolledUp, more: true };
        limitHits.forget();
        if (age === null) return { rolledUp, more: false };
        cooldowns.forget(age.now);
        const forgotten =
          samples.forget(samples.horizon(age.now, age.keepMs), FORGOTTEN_AT_ONCE) +
          rollups.forgetHours(samples.horizon(age.now, KEEP_HOURS_MS), FORGOTTEN_AT_ONCE) +
          samples.forgetIds(samples.horizon(age.now, KEEP_HOURS_MS), FORGOTTEN_AT_ONCE);
        return { rolledUp, more: forgotten >= FORGOTTEN_AT_ONCE };
      }),
    page: (query) => using(({ samples }) => samples.page({ ...query, among: LOOKED_AT_ONCE })),
    history: (query) =>
      using(({ samples }) => samples.history({ ...query, limit: READ_AT_ONCE, among: LOOKED_AT_ONCE })),
    diversions: (query) => using(({ samples }) => samples.diversions({ ...query, among: LOOKED_AT_ONCE })),
    rollups: (query) => using(({ rollups }) => rollups.read(query)),
    spans: (query) => using(({ rollups }) => rollups.spans(query)),
    hoursOf: (query) => using(({ rollups }) => rollups.hoursOf(query)),
    knowsLane: (lane) => using(({ rollups }) => rollups.knowsLane(lane)),
    cooldowns: (now) => using(({ cooldowns }) => cooldowns.current(now)),
    limitHits: () => using(({ limitHits }) => limitHits.telling()),
    status: () => using((file) => file.status()),
    damaged: ({ problem, inode }) => {
      if (inodeOf(path) === inode) replace(problem, inode);
      open();
    },
    close,
  };
}

const goneOn = (path: string, named: bigint | null): string =>
  named === null
    ? `${path} was deleted or renamed while it was in use; a new one is begun`
    : `${path} was replaced by another file while it was in use, which is gone on with`;

const logOf = (path: string): string => `${path}-wal`;
