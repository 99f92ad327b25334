/** The rows that wait for the storing thread: gathered into batches, kept until committed, bounded whatever happens. */
import type { Clock } from '../platform/clock.ts';
import type { Cooldown, LimitHit } from '../protocol/meter.ts';
import type { SampleRow } from './sample-row.ts';
import type { Batch } from './store-file.ts';
import type { Trouble } from './trouble.ts';

export interface OutboxOptions {
  readonly flushMs: number;
  readonly clock: Clock;
  readonly trouble: Trouble;
  /** Commits a batch, or rejects and commits nothing of it. */
  readonly write: (batch: Batch) => Promise<unknown>;
}

export interface Outbox {
  addSample(row: SampleRow): void;
  addCooldown(cooldown: Cooldown): void;
  addLimitHit(hit: LimitHit): void;
  /** Resolves once all that was added before is committed, or an attempt to do so has failed. */
  flush(): Promise<void>;
  numbers(): OutboxNumbers;
  /** A last flush; nothing is sent afterwards. */
  close(): Promise<void>;
}

export interface OutboxNumbers {
  /** Rows committed. */
  readonly writes: number;
  /** Attempts that failed; their rows still wait, or were dropped. */
  readonly writeErrors: number;
  /** Rows given up because too many waited. */
  readonly dropped: number;
  readonly pending: number;
}

/** A full batch, and the most in one transaction: 5 ms of the file's lock. With 100 the relaying thread paid as well. */
const FULL = 1_000;
/** Rows that may wait while the file cannot be written, about 10 MB. The log has those that are dropped. */
export const MOST_WAITING = 20_000;
const DROPPED_AT_ONCE = 1_000;
/** Between attempts at a file in trouble, doubled each time. */
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/** Nothing is sent before there are rows. */
export function createOutbox({ flushMs, clock, trouble, write }: OutboxOptions): Outbox {
  let samples: SampleRow[] = [];
  let cooldowns: Cooldown[] = [];
  let hits: LimitHit[] = [];
  let sending: Promise<boolean> | null = null;
  let cancelTimer: (() => void) | null = null;
  let retryMs = 0;
  let closed = false;
  let [added, writes, writeErrors, dropped] = [0, 0, 0, 0];

  const settled = (): number => writes + dropped;
  const pending = (): number => added - settled();

  const wake = (): void => {
    cancelTimer ??= clock.after(Math.max(flushMs, retryMs), () => {
      cancelTimer = null;
      void send();
    });
  };

  const arrived = (): void => {
    added += 1;
    if (closed) return;
    if (retryMs === 0 && sending === null && pending() >= FULL) void send();
    else wake();
  };

  /** Sends one batch, unless one is under way; gives whether it was committed. */
  const send = (): Promise<boolean> => {
    sending ??= sendBatch().finally(() => {
      sending = null;
      if (closed || pending() === 0) return;
      if (retryMs === 0 && pending() >= FULL) void send();
      else wake();
    });
    return sending;
  };

  const sendBatch = async (): Promise<boolean> => {
    const batch = { samples: samples.slice(0, FULL), cooldowns, hits };
    samples = samples.slice(FULL);
    [cooldowns, hits] = [[], []];
    try {
      await write(batch);
    } catch (error) {
      samples = [...batch.samples, ...samples];
      cooldowns = [...batch.cooldowns, ...cooldowns];
      hits = [...batch.hits, ...hits];
      dropOldest();
      retryMs = Math.min(Math.max(RETRY_MS, retryMs * 2), LONGEST_RETRY_MS);
      writeErrors += 1;
      trouble.failed('write', error);
      return false;
    }
    writes += batch.samples.length + batch.cooldowns.length + batch.hits.length;
    retryMs = 0;
    trouble.worked('write');
    return true;
  };

  const dropOldest = (): void => {
    for (const list of [samples, cooldowns, hits]) {
      if (list.length > MOST_WAITING)
        dropped += list.splice(0, list.length - MOST_WAITING + DROPPED_AT_ONCE).length;
    }
  };

  const flush = async (): Promise<void> => {
    const target = added;
    while (settled() < target) {
      if (!(await send())) return;
    }
  };

  return {
    addSample(row) {
      samples.push(row);
      dropOldest();
      arrived();
    },
    addCooldown(cooldown) {
      cooldowns.push(cooldown);
      arrived();
    },
    addLimitHit(hit) {
      hits.push(hit);
      arrived();
    },
    flush,
    numbers: () => ({ writes, writeErrors, dropped, pending: pending() }),
    async close() {
      closed = true;
      cancelTimer?.();
      await flush();
    },
  };
}
