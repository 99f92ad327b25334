/**
 * What the storing thread does: keeps one file open, and does to it what it is asked. A file that turns out to be
 * damaged is set aside and a new one begun; what fails is thrown, and the file is tried again by the next request.
 */
import { statSync } from 'node:fs';
import { OperatorError } from '../errors.ts';
import type { Cooldown, LimitHit, Rollup, RollupQuery, SamplePage, SampleQuery } from '../protocol/meter.ts';
import { setAside } from './damage.ts';
import { CHECKED_AT_ONCE, isDamage, isSqlite } from './database.ts';
import { sizeOf } from './file-size.ts';
import { type Batch, type FileStatus, openStoreFile, type StoreFile } from './store-file.ts';

/** What can be asked of the storing thread; one argument each, which must survive the way between threads. */
export interface Keeper {
  /** Makes sure that the file is open; gives whether it is too large to have been checked. */
  open(): { readonly unchecked: boolean };
  write(batch: Batch): void;
  /** Rolls up, then forgets, a piece of what is due; `more` where it is to be asked again. */
  tend(due: { readonly before: number; readonly now: number }): {
    readonly rolledUp: number;
    readonly more: boolean;
  };
  page(query: SampleQuery): SamplePage;
  rollups(query: RollupQuery): readonly Rollup[];
  cooldowns(now: number): readonly Cooldown[];
  limitHits(): readonly LimitHit[];
  status(): FileStatus;
  /** A check of the file found damage. */
  damaged(problem: string): void;
  close(): void;
}

export interface KeeperOptions {
  readonly path: string;
  /** Told of a damaged file: where it was put, and what was wrong. */
  readonly onDamage: (aside: string, problem: string) => void;
}

/** A piece of work short enough (0.1 s) that exchanges to be written never wait long for it, here or in another process. */
const ROLLED_AT_ONCE = 5_000;
const FORGOTTEN_AT_ONCE = 2_000;

interface Opened extends StoreFile {
  readonly inode: bigint;
}

/** Nothing is opened before the first request. */
export function createKeeper({ path, onDamage }: KeeperOptions): Keeper {
  let opened: Opened | null = null;

  const close = (): void => {
    opened?.[Symbol.dispose]();
    opened = null;
  };

  const open = (): Opened => {
    const named = statSync(path, { bigint: true, throwIfNoEntry: false });
    // Deleted by somebody who wants to start afresh.
    if (opened !== null && named === undefined) close();
    if (opened !== null && named?.ino !== opened.inode) throw replaced(path);
    opened ??= { ...openStoreFile(path), inode: statSync(path, { bigint: true }).ino };
    return opened;
  };

  const replace = (problem: string): void => {
    close();
    onDamage(setAside(path, Date.now()), problem);
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
      replace(error instanceof Error ? error.message : String(error));
      return act(open());
    }
  };

  return {
    open: () => using(() => ({ unchecked: sizeOf(path) > CHECKED_AT_ONCE })),
    write: (batch) => void using((file) => file.write(batch)),
    tend: ({ before, now }) =>
      using(({ rollups, samples, cooldowns, limitHits }) => {
        const rolledUp = rollups.advance(ROLLED_AT_ONCE);
        if (rolledUp === ROLLED_AT_ONCE) return { rolledUp, more: true };
        if (samples.forget(before, FORGOTTEN_AT_ONCE) === FORGOTTEN_AT_ONCE) return { rolledUp, more: true };
        cooldowns.forget(now);
        limitHits.forget();
        return { rolledUp, more: false };
      }),
    page: (query) => using(({ samples }) => samples.page(query)),
    rollups: (query) => using(({ rollups }) => rollups.read(query)),
    cooldowns: (now) => using(({ cooldowns }) => cooldowns.current(now)),
    limitHits: () => using(({ limitHits }) => limitHits.telling()),
    status: () => using((file) => file.status()),
    damaged: (problem) => {
      replace(problem);
      open();
    },
    close,
  };
}

/** Closing the old file would delete the write-ahead log of the new one, which has its name: SQLite goes by names. */
const replaced = (path: string): OperatorError =>
  new OperatorError('NOT_READY', `${path} was replaced by another file while it was in use`, {
    hint: 'Restart ccp; put a file back only while no ccp runs on it.',
  });
