/**
 * The store as the proxy holds it: samples are taken in at once, posted to the storing thread in batches, and kept here
 * until they are committed. Nothing of it throws into an exchange or waits in one; SQLite runs on the other thread alone.
 */
import type { ExchangeObserver } from '../core/types.ts';
import { OperatorError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import {
  type Cooldown,
  type LimitHit,
  type MeterStore,
  NO_DIVERSIONS,
  type StoreNumbers,
} from '../protocol/meter.ts';
import { sizeOf } from './file-size.ts';
import { createOutbox } from './outbox.ts';
import { rowOf, sampleOf, useOfRow } from './sample-row.ts';
import { createSteadiness } from './steadiness.ts';
import { createKeeperThread } from './thread.ts';
import { createTrouble } from './trouble.ts';

export interface StoreOptions {
  /** The file; made where it is missing, with its folder. */
  readonly path: string;
  /** How long a sample waits for company at most, in milliseconds. */
  readonly flushMs: number;
  /** Days that a sample is kept. */
  readonly ttlDays: number;
  /** Time between two rounds of rolling up and forgetting, in milliseconds. */
  readonly rollupMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** The log that could fill a new store, for the sentence about one that is damaged or gone. */
  readonly usageLog?: string;
  /** Told where the file could be opened at the start: whether it was made, as there was none. */
  readonly onOpen?: (isNew: boolean) => void;
  /** Told how many seconds a round took. */
  readonly onRollup?: (seconds: number) => void;
  /** Told, within a second, that there is more than this process wrote: after an import, or where another file is gone on with. */
  readonly onMore?: () => void;
}

export interface StoreHealth {
  readonly ok: boolean;
  /** Why nothing can be kept, a sentence; null while all is well. */
  readonly reason: string | null;
  /** What to do about it, a sentence; null where there is nothing, or nobody knows. */
  readonly remedy: string | null;
  readonly path: string | null;
  /** Rows taken and not yet committed. */
  readonly pending: number;
}

/** Also where its file cannot be used: then it says why, answers with nothing, and tries again. */
export interface Store extends MeterStore, ExchangeObserver, AsyncDisposable {
  onCompletion: NonNullable<ExchangeObserver['onCompletion']>;
  health(): StoreHealth;
  metrics(): StoreNumbers;
}

/** The first round comes soon, for what an earlier process left. */
const FIRST_ROUND_MS = 10_000;
/** Between two looks at the file, for some microseconds of the storing thread. An import is told of by the second after it. */
const LOOK_MS = 500;
const DAY_MS = 86_400_000;
const DONE = { more: false };

/** Opens the store a moment later, on the storing thread: a start never waits for it. */
export function openStore(options: StoreOptions): Store {
  const { path, flushMs, ttlDays, rollupMs, clock, log, usageLog = 'usage.jsonl', onRollup } = options;
  const { onOpen = () => {}, onMore = () => {} } = options;
  let begunAnew = 0;
  const thread = createKeeperThread({
    path,
    onAnother(whatBecame) {
      begunAnew += 1;
      log.error(`${whatBecame}: "ccp db import --jsonl ${usageLog} --rotated" puts in what it lacks`);
      onMore();
    },
    onImport: onMore,
  });
  const trouble = createTrouble(log);
  const outbox = createOutbox({ flushMs, clock, trouble, write: (batch) => thread.ask('write', batch) });
  const steady = createSteadiness(clock, (ms) => {
    if (Math.abs(ms) < DAY_MS) return;
    log.warn(
      `the clock jumped by ${Math.round(ms / DAY_MS)} days (it was set, or this machine slept): ` +
        'no exchange is deleted for its age before it has been steady for 10 minutes',
    );
  });
  let ended = false;
  let opening: Promise<void> | null = null;
  let cancelRound = (): void => {};
  let cancelLook = (): void => {};

  const open = async (): Promise<void> => {
    if (ended) return;
    try {
      const { isNew, unchecked } = await thread.ask('open');
      trouble.worked('open');
      onOpen(isNew);
      if (unchecked) void checkBeside();
    } catch (error) {
      trouble.failed('open', error);
    }
  };

  /** Comes before all that is read: a file that cannot be used is told of as such, and once. */
  const opened = (): Promise<void> => (opening ??= open());

  const checkBeside = async (): Promise<void> => {
    const damage = await thread.check();
    if (damage !== null && !ended)
      await thread.ask('damaged', damage).catch((error) => trouble.failed('open', error));
  };

  const tend = async (): Promise<void> => {
    const started = clock.monotonic();
    try {
      const age = steady() ? { now: clock.now(), keepMs: ttlDays * DAY_MS } : null;
      // In pieces, so that what was taken meanwhile is written between them.
      for (let more = true; more; ) ({ more } = ended ? DONE : await thread.ask('tend', age));
      trouble.worked('tend');
      onRollup?.((clock.monotonic() - started) / 1000);
    } catch (error) {
      if (!ended) trouble.failed('tend', error);
    }
  };

  const nextRound = (ms: number): void => {
    if (ended) return;
    cancelRound = clock.after(ms, () => void tend().then(() => nextRound(rollupMs)));
  };

  const nextLook = (): void => {
    if (ended) return;
    // What fails here fails for whoever needs the file, too, and is told then.
    const look = (): Promise<void> => thread.ask('look').catch(() => {});
    cancelLook = clock.after(LOOK_MS, () => void look().then(nextLook));
  };

  /** What the file says, after all that was taken so far. Rejects where it cannot be read. */
  const read = async <T>(ask: () => Promise<T>): Promise<T> => {
    await opened();
    await outbox.flush();
    try {
      const found = await ask();
      trouble.worked('read');
      return found;
    } catch (error) {
      if (!isAskers(error)) trouble.failed('read', error);
      throw error;
    }
  };

  /** The same for who only looks: `instead` where it cannot be read. */
  const look = <T>(ask: () => Promise<T>, instead: T): Promise<T> =>
    read(ask).catch((error: unknown) => {
      if (isAskers(error)) throw error;
      return instead;
    });

  setImmediate(() => void opened());
  nextRound(Math.min(FIRST_ROUND_MS, rollupMs));
  nextLook();

  return {
    onCompletion: (event) => outbox.addSample(rowOf(sampleOf(event))),
    saveCooldown: (cooldown: Cooldown) => outbox.addCooldown(cooldown),
    saveLimitHit: (hit: LimitHit) => outbox.addLimitHit(hit),
    cooldowns: () => read(() => thread.ask('cooldowns', clock.now())),
    limitHits: () => read(() => thread.ask('limitHits')),
    async history(query) {
      const { rows, next_cursor } = await read(() => thread.ask('history', query));
      return { uses: rows.map(useOfRow), next_cursor };
    },
    samples: (query) => look(() => thread.ask('page', query), { samples: [], next_cursor: null }),
    diversions: (query) => look(() => thread.ask('diversions', query), NO_DIVERSIONS),
    rollups: (query) => look(() => thread.ask('rollups', query), []),
    spans: (query) => look(() => thread.ask('spans', query), []),
    hoursOf: (query) => look(() => thread.ask('hoursOf', query), []),
    knowsLane: (lane) => look(() => thread.ask('knowsLane', lane), true),
    async status() {
      const unreadable = {
        path,
        schema_version: 0,
        bytes: sizeOf(path),
        samples: 0,
        oldest: null,
        newest: null,
      };
      const file = await look(() => thread.ask('status'), unreadable);
      const { pending, writes, writeErrors } = outbox.numbers();
      return {
        ...file,
        pending,
        writes,
        write_errors: writeErrors,
        trouble: trouble.state()?.reason ?? null,
      };
    },
    flush: () => outbox.flush(),
    health() {
      const state = trouble.state();
      return {
        ok: state === null,
        reason: state?.reason ?? null,
        remedy: state?.remedy ?? null,
        path,
        pending: outbox.numbers().pending,
      };
    },
    metrics: () => ({ ...outbox.numbers(), begunAnew, bytes: sizeOf(path) }),
    async [Symbol.asyncDispose]() {
      ended = true;
      cancelRound();
      cancelLook();
      await outbox.close();
      await thread[Symbol.asyncDispose]();
    },
  };
}

/** A mistake of whoever asks, e.g. a cursor: no trouble of the store. */
const isAskers = (error: unknown): boolean => error instanceof OperatorError && error.code === 'USAGE';
