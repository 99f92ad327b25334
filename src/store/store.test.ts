import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Clock, systemClock } from '../platform/clock.ts';
import { isCharged, wasTried } from '../protocol/charged.ts';
import type { HistoryPage, Sample, SampleUse } from '../protocol/meter.ts';
import { OPS, REASONS } from '../protocol/usage-event.ts';
import { CHECKED_AT_START } from './database.ts';
import { rowOf, sampleOfRow } from './sample-row.ts';
import { openStore, type Store, type StoreOptions } from './store.ts';
import { openStoreFile, readStoreFile } from './store-file.ts';
import { breakIndex } from './testing/broken-index.ts';
import { makeStorePlace, type StorePlace } from './testing/place.ts';
import { completion, NOON, sample } from './testing/samples.ts';

const DAY = 86_400_000;

/** Waits for a condition, as long as a busy machine may need. */
const soon = <T>(look: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(look, { timeout: 15_000, interval: 20 });

let place: StorePlace;
let said: string[];
let stack: AsyncDisposableStack;
beforeEach(() => {
  place = makeStorePlace();
  said = [];
  stack = new AsyncDisposableStack();
  stack.use(place);
});
afterEach(() => stack.disposeAsync());

/** A store on the place's file whose clock stands at noon of a day. */
function open(given: Partial<StoreOptions> = {}): Store {
  const say = (message: string): void => void said.push(message);
  return stack.use(
    openStore({
      path: place.path,
      flushMs: 20,
      ttlDays: 7,
      rollupMs: DAY,
      clock: { ...systemClock, now: () => NOON },
      log: { info: say, warn: say, error: say },
      ...given,
    }),
  );
}

/** Goes 50,000 times as fast, from a time on. */
function fastClock(now = NOON): Clock {
  const start = systemClock.monotonic();
  const passed = (): number => (systemClock.monotonic() - start) * 50_000;
  return { ...systemClock, monotonic: passed, now: () => now + passed() };
}

const onDisk = (): Sample[] => {
  using file = readStoreFile(place.path);
  return [...file.samples.each({})].map(sampleOfRow);
};

describe('a store', () => {
  it('says so when another process imports into its file, and not when one only writes', async () => {
    let more = 0;
    const store = open({ onMore: () => void (more += 1) });
    await store.flush();
    await store.cooldowns();
    using other = openStoreFile(place.path);
    other.write({ samples: [rowOf(sample(1))], cooldowns: [], hits: [] });
    await store.cooldowns();
    expect(more).toBe(0);
    other.putIn([rowOf(sample(2))]);
    // Nobody asks anything of it.
    await soon(() => expect(more).toBe(1));
  });

  it('commits what it took within the flush interval, nobody asking', async () => {
    const store = open();
    for (let id = 1; id <= 250; id++) store.onCompletion(completion(id));
    await soon(() => expect(store.health().pending).toBe(0));
    expect(onDisk()).toEqual(Array.from({ length: 250 }, (_, at) => sample(at + 1)));
    expect(store.metrics()).toMatchObject({ writes: 250, writeErrors: 0, dropped: 0 });
    expect(said).toEqual([]);
  });

  it('answers with what it took a moment before', async () => {
    const store = open({ flushMs: 60_000 });
    store.onCompletion(completion(1));
    expect((await store.samples({ limit: 5 })).samples).toEqual([sample(1)]);
    store.onCompletion(completion(2));
    expect(await store.rollups({ granularity: 'hour' })).toMatchObject([{ count: 2 }]);
    store.onCompletion(completion(3));
    expect(await store.status()).toMatchObject({ samples: 3, pending: 0, trouble: null, oldest: NOON + 1 });
  });

  it('rejects a question for more rollups than are wanted, and is in no trouble for it', async () => {
    const store = open();
    store.onCompletion(completion(1));
    store.onCompletion(completion(2, { lane: 'anthropic' }));
    const refused = store.rollups({ granularity: 'hour', limit: 1 });
    await expect(refused).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('more than 1'),
    });
    expect(store.health().ok).toBe(true);
  });

  it('commits the rest when it is closed', async () => {
    const store = open({ flushMs: 60_000 });
    store.onCompletion(completion(1));
    await store[Symbol.asyncDispose]();
    expect(onDisk()).toEqual([sample(1)]);
  });

  it('gives what was used on some lanes since a time, newest first, however much', async () => {
    const store = open();
    for (let id = 1; id <= 4201; id++)
      store.onCompletion({ ...completion(id), lane: id % 3 === 0 ? 'local' : 'zai' });
    store.onCompletion({ ...completion(4202), lane: 'anthropic' });
    const found: SampleUse[] = [];
    for (let cursor: string | null | undefined = null; cursor !== undefined; ) {
      const query = { since: NOON + 2, lanes: ['zai', 'local'], cursor };
      const page: HistoryPage = await store.history(query);
      found.push(...page.uses);
      cursor = page.next_cursor ?? undefined;
    }
    expect(found.map(({ ts }) => ts - NOON)).toEqual(Array.from({ length: 4200 }, (_, at) => 4201 - at));
    const { rid, ts, model, latency_ms, stream_ms, tokens } = sample(4201);
    expect(found[0]).toEqual({ rid, ts, lane: 'zai', model, latency_ms, stream_ms, tokens });
  });

  it('gives of what was used just what counts towards quotas', async () => {
    const kinds = OPS.flatMap((op) =>
      REASONS.flatMap((reason) => [0, 1].map((attempts) => ({ op, reason, attempts }))),
    );
    const rows = kinds.map((kind, id) => rowOf(sample(id, kind)));
    using file = openStoreFile(place.path);
    file.write({ samples: rows, cooldowns: [], hits: [] });
    const { uses } = await open().history({ since: 0, lanes: ['zai'], cursor: null });
    const counted = kinds.flatMap(({ op, reason, attempts }, id) =>
      isCharged(op) && wasTried(attempts, reason) ? NOON + id : [],
    );
    expect(uses.map(({ ts }) => ts).toReversed()).toEqual(counted);
  });

  it('keeps cooldowns and limit hits for the next process', async () => {
    const cooldown = { lane: 'zai', key: 'x', until: NOON + 1, stated: 'default' } as const;
    const hit = {
      rid: 'r',
      ts: NOON,
      lane: 'zai',
      key: 'x',
      kind: 'window',
      rolling_pct: 1,
      weekly_pct: 2,
      since_warn_s: 3,
      resets_at: null,
    } as const;
    const first = open();
    first.saveCooldown(cooldown);
    first.saveCooldown({ ...cooldown, key: 'over', until: NOON });
    first.saveLimitHit(hit);
    await first[Symbol.asyncDispose]();
    const second = open();
    expect([await second.cooldowns(), await second.limitHits()]).toEqual([[cooldown], [hit]]);
  });

  it('rolls up and forgets in rounds, and says how long they took', async () => {
    const rounds: number[] = [];
    const clock = fastClock();
    const store = open({ clock, rollupMs: 30, ttlDays: 1, onRollup: (seconds) => void rounds.push(seconds) });
    store.saveCooldown({ lane: 'zai', key: 'x', until: NOON, stated: 'default' });
    store.onCompletion(completion(1));
    store.onCompletion(completion(2, { ts: new Date(NOON - DAY - 1).toISOString() }));
    await soon(() => expect(onDisk()).toEqual([sample(1)]));
    await soon(() => expect(rounds.length).toBeGreaterThan(0));
    using file = readStoreFile(place.path);
    await soon(() => expect(file.cooldowns.current(0)).toEqual([]));
    expect((await store.rollups({ granularity: 'day' })).map(({ count }) => count)).toEqual([1, 1]);
  });

  it('forgets nothing while the clock stands a month ahead for a moment', async () => {
    let [ahead, rounds] = [0, 0];
    const clock = { ...systemClock, now: () => NOON + ahead };
    const store = open({ clock, rollupMs: 20, onRollup: () => void (rounds += 1) });
    for (let id = 1; id <= 50; id++) store.onCompletion(completion(id));
    await store.flush();
    ahead = 30 * DAY;
    store.onCompletion(completion(51, { ts: new Date(NOON + ahead).toISOString() }));
    await store.flush();
    const before = rounds;
    await soon(() => expect(rounds).toBeGreaterThan(before + 3));
    expect(onDisk()).toHaveLength(51);
    expect(said).toEqual([expect.stringMatching(/the clock jumped by 30 days.+steady for 10 minutes/)]);
  });

  it('forgets nothing by a clock that is a month ahead from the start, when no exchange says so', async () => {
    const first = open();
    for (let id = 1; id <= 50; id++) first.onCompletion(completion(id));
    await first[Symbol.asyncDispose]();
    let rounds = 0;
    const clock = fastClock(NOON + 30 * DAY);
    const store = open({ clock, rollupMs: 20, onRollup: () => void (rounds += 1) });
    await soon(() => expect(rounds).toBeGreaterThan(5));
    await store[Symbol.asyncDispose]();
    expect(onDisk()).toHaveLength(50);
  });

  it('shares its file with another proxy', async () => {
    const stores = [open({ rollupMs: 20 }), open({ rollupMs: 20 })];
    for (let id = 1; id <= 2000; id++) stores[id % 2]?.onCompletion(completion(id));
    // An exchange has one id, so that what both were told of counts once.
    for (const store of stores) store.onCompletion(completion(2001));
    await Promise.all(stores.map((store) => store.flush()));
    expect(onDisk()).toHaveLength(2001);
    await soon(async () =>
      expect(await stores[0]?.rollups({ granularity: 'day' })).toMatchObject([{ count: 2001 }]),
    );
    expect(said).toEqual([]);
  });

  it('is readable by its owner alone', async () => {
    const path = join(place.folder, 'deep/er/ccp.sqlite3');
    const store = open({ path });
    store.onCompletion(completion(1));
    await store.flush();
    for (const name of readdirSync(join(place.folder, 'deep/er')))
      expect([name, statSync(join(place.folder, 'deep/er', name)).mode & 0o777]).toEqual([name, 0o600]);
  });
});

describe('a file that is damaged', () => {
  it.each([
    ['is no database', (path: string) => writeFileSync(path, 'x'.repeat(10_000))],
    ['has pages that are none', (path: string) => overwritePages(path)],
    ['has an index that lacks a row', (path: string) => breakIndex(path, sample(7).rid)],
  ])('is set aside, not deleted, where it %s, and a new one is begun', async (_name, damage) => {
    const first = open();
    for (let id = 1; id <= 500; id++) first.onCompletion(completion(id));
    await first[Symbol.asyncDispose]();
    damage(place.path);
    const bytes = statSync(place.path).size;

    const store = open({ usageLog: 'logs/usage.jsonl' });
    store.onCompletion(completion(1000));
    await store.flush();
    expect(onDisk()).toEqual([sample(1000)]);
    const aside = readdirSync(place.folder).filter((name) =>
      /^ccp\.sqlite3\.damaged-\d{8}T\d{6}\.\d{3}Z$/.test(name),
    );
    expect(aside).toHaveLength(1);
    expect(statSync(join(place.folder, aside[0] ?? '')).size).toBe(bytes);
    expect(said.join('\n')).toMatch(
      /the store was damaged \(.+\) and set aside as .+ccp db import --jsonl logs\/usage\.jsonl --rotated/,
    );
    expect(store.health()).toMatchObject({ ok: true, reason: null });
  });

  it('is set aside, where it is too large for that at start, once it was read beside the work', async () => {
    const first = open();
    for (let id = 1; id <= 50_000; id++) {
      first.onCompletion(completion(id));
      if (id % 10_000 === 0) await first.flush();
    }
    await first[Symbol.asyncDispose]();
    expect(statSync(place.path).size).toBeGreaterThan(CHECKED_AT_START);
    breakIndex(place.path, sample(7).rid);

    const store = open();
    await soon(() => expect(said.join()).toMatch(/was damaged \(.+\) and set aside as/));
    store.onCompletion(completion(7));
    await store.flush();
    expect(onDisk()).toEqual([sample(7)]);
  });

  it('is set aside also where it breaks while it is in use', async () => {
    const store = open();
    for (let id = 1; id <= 3000; id++) store.onCompletion(completion(id));
    await store.flush();
    using db = closing(new Database(place.path));
    db.pragma('wal_checkpoint(TRUNCATE)');
    overwritePages(place.path);
    for (let id = 3001; id <= 6000; id++) store.onCompletion(completion(id));
    await soon(async () => {
      await store.flush();
      expect(readdirSync(place.folder).join()).toContain('damaged-');
    });
    store.onCompletion(completion(9000));
    await store.flush();
    expect(onDisk()).toContainEqual(sample(9000));
  });
});

describe('a file that cannot be used', () => {
  const cases: [string, (path: string) => void, RegExp][] = [
    [
      'lies where no folder can be',
      (path) => writeFileSync(join(path, '..', 'no-folder'), ''),
      /not a directory/,
    ],
    ['is a folder', (path) => mkdirSync(path), /is a folder, and no file for the store/],
    ['is of a newer ccp', (path) => newerSchema(path), /was written by a newer ccp \(schema 99/],
    ['is of another program', (path) => foreign(path), /is a database of another program/],
    ['is of another program and damaged', (path) => foreignDamaged(path), /is a database of another program/],
    [
      'is no database',
      (path) => writeFileSync(path, 'my notes\n'),
      /is a file of another kind, and no store/,
    ],
  ];
  it.each(cases)(
    'stops nothing where it %s: rows wait, the reason is told once',
    async (name, make, reason) => {
      const path = join(place.folder, name.includes('no folder') ? 'no-folder/x.sqlite3' : 'notes');
      make(name.includes('no folder') ? place.path : path);
      const before = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
      const store = open({ path });
      store.onCompletion(completion(1));
      await store.flush();
      await store.flush();
      expect(store.health()).toMatchObject({ ok: false, reason: expect.stringMatching(reason), pending: 1 });
      expect(await store.status()).toMatchObject({ trouble: expect.stringMatching(reason), samples: 0 });
      expect(await store.samples({ limit: 1 })).toEqual({ samples: [], next_cursor: null });
      // From these something is counted: nothing read is not nothing there.
      await expect(store.cooldowns()).rejects.toThrow(reason);
      await expect(store.limitHits()).rejects.toThrow(reason);
      await expect(store.history({ since: 0, lanes: ['zai'], cursor: null })).rejects.toThrow(reason);
      expect(said).toEqual([expect.stringMatching(reason)]);
      expect(statSync(path, { throwIfNoEntry: false })?.mtimeMs).toBe(before);
      expect(readdirSync(place.folder)).toHaveLength(1);
    },
  );

  it.each(['cooldowns', 'limitHits'] as const)(
    'is told of as one that cannot be used, and once, where the first thing asked of it are the %s',
    async (first) => {
      mkdirSync(place.path);
      const store = open();
      await expect(store[first]()).rejects.toThrow('is a folder');
      store.onCompletion(completion(1));
      await store.flush();
      expect(said).toEqual([
        expect.stringMatching(/^the store keeps nothing for now, and quotas count only this run: .* Name /),
      ]);
      expect(store.health()).toMatchObject({ ok: false, remedy: expect.stringContaining('CCP_DB_PATH') });
    },
  );

  it('says at the start whether it was made', async () => {
    for (const made of [true, false]) {
      const opened: boolean[] = [];
      await using store = open({ onOpen: (isNew) => void opened.push(isNew) });
      await store.cooldowns();
      expect(opened).toEqual([made]);
    }
  });

  it('is used once it can be, with what had waited', async () => {
    mkdirSync(place.path);
    const store = open();
    store.onCompletion(completion(1));
    await store.flush();
    expect(store.health().ok).toBe(false);
    rmdirSync(place.path);
    await store.flush();
    expect(onDisk()).toEqual([sample(1)]);
    expect([store.health().ok, said.at(-1)]).toEqual([true, 'the store works again']);
  });

  it('is waited for where another process holds it', async () => {
    openStoreFile(place.path)[Symbol.dispose]();
    using other = closing(new Database(place.path));
    other.exec('BEGIN IMMEDIATE');
    const store = open();
    store.onCompletion(completion(1));
    await store.flush();
    expect(store.health()).toMatchObject({
      ok: false,
      reason: expect.stringContaining('is locked by another process'),
    });
    other.exec('COMMIT');
    await store.flush();
    expect(onDisk()).toEqual([sample(1)]);
  });

  it.each([
    ['whole', ['-wal', '-shm', '']],
    ['without what belongs to it', ['']],
  ])('is begun anew where it was deleted in use, %s, and says so once', async (_, suffixes) => {
    const store = open({ usageLog: 'logs/usage.jsonl' });
    store.onCompletion(completion(1));
    await store.flush();
    for (const suffix of suffixes) rmSync(place.path + suffix);
    // What was not written yet waits elsewhere.
    store.onCompletion(completion(2));
    await store.flush();
    store.onCompletion(completion(3));
    await store.flush();
    expect(onDisk()).toEqual([sample(2), sample(3)]);
    expect(said).toEqual([
      `${place.path} was deleted or renamed while it was in use; a new one is begun: ` +
        '"ccp db import --jsonl logs/usage.jsonl --rotated" puts in what it lacks',
    ]);
    expect(store.metrics().begunAnew).toBe(1);
    expect(store.health().ok).toBe(true);
  });

  it('is gone on with where it was replaced in use, and never overwritten by what belonged to the old one', async () => {
    const store = open();
    store.onCompletion(completion(1));
    await store.flush();
    const other = join(place.folder, 'other.sqlite3');
    {
      using file = openStoreFile(other);
      file.write({ samples: [rowOf(sample(7))], cooldowns: [], hits: [] });
    }
    renameSync(other, place.path);
    store.onCompletion(completion(2));
    await store.flush();
    expect(onDisk()).toEqual([sample(2), sample(7)]);
    expect(said).toEqual([expect.stringContaining('was replaced by another file while it was in use')]);
  });

  it('has all that was committed where it was only renamed', async () => {
    const store = open();
    for (let id = 1; id <= 500; id++) {
      store.onCompletion(completion(id));
      if (id % 50 === 0) await store.flush();
    }
    const saved = join(place.folder, 'saved.sqlite3');
    renameSync(place.path, saved);
    store.onCompletion(completion(501));
    await store.flush();
    expect(onDisk()).toEqual([sample(501)]);
    using file = readStoreFile(saved);
    expect(file.status().samples).toBe(500);
    expect(file.db.pragma('integrity_check', { simple: true })).toBe('ok');
  });

  it('is not said to be gone on with before it can be', async () => {
    const store = open();
    store.onCompletion(completion(1));
    await store.flush();
    const saved = join(place.folder, 'saved.sqlite3');
    renameSync(place.path, saved);
    foreign(place.path);
    store.onCompletion(completion(2));
    await store.flush();
    expect(said).toEqual([expect.stringContaining('is a database of another program')]);
    expect([store.metrics().begunAnew, store.health().pending]).toEqual([0, 1]);
    rmSync(place.path);
    await store.flush();
    expect(said.slice(1)).toEqual([
      expect.stringContaining('was deleted or renamed while it was in use; a new one is begun'),
      'the store works again',
    ]);
    expect([onDisk(), store.metrics().begunAnew]).toEqual([[sample(2)], 1]);
  });

  it('is gone on with, without ado, where it has its name again', async () => {
    const store = open();
    store.onCompletion(completion(1));
    await store.flush();
    const saved = join(place.folder, 'saved.sqlite3');
    renameSync(place.path, saved);
    foreign(place.path);
    store.onCompletion(completion(2));
    await store.flush();
    renameSync(saved, place.path);
    await store.flush();
    expect([onDisk(), store.metrics().begunAnew]).toEqual([[sample(1), sample(2)], 0]);
    expect(said.at(-1)).toBe('the store works again');
  });

  it('leaves the log alone of whoever has its name by now', async () => {
    const store = open();
    store.onCompletion(completion(1));
    await store.flush();
    // The file last: once it is gone, a look of the storing thread may begin another, which has these two as well.
    for (const suffix of ['-wal', '-shm', '']) rmSync(place.path + suffix);
    using file = openStoreFile(place.path);
    file.write({ samples: [rowOf(sample(7))], cooldowns: [], hits: [] });
    store.onCompletion(completion(2));
    await store.flush();
    expect(onDisk()).toEqual([sample(2), sample(7)]);
    file.write({ samples: [rowOf(sample(8))], cooldowns: [], hits: [] });
    expect(onDisk()).toEqual([sample(2), sample(7), sample(8)]);
    expect(file.db.pragma('integrity_check', { simple: true })).toBe('ok');
  });
});

function overwritePages(path: string): void {
  const bytes = readFileSync(path);
  for (let page = 1; page * 4096 < bytes.length; page++) bytes.fill(0xa5, page * 4096, page * 4096 + 64);
  writeFileSync(path, bytes);
}

function newerSchema(path: string): void {
  using file = openStoreFile(path);
  file.db.exec("INSERT INTO schema_version VALUES (99, '2030-01-01T00:00:00.000Z')");
}

function foreign(path: string): void {
  using db = closing(new Database(path));
  db.exec('CREATE TABLE theirs (x)');
  chmodSync(path, 0o600);
}

/** As large as it takes for a page of it to be overwritten. */
function foreignDamaged(path: string): void {
  foreign(path);
  using db = closing(new Database(path));
  db.exec(
    'INSERT INTO theirs WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 5000) SELECT * FROM n',
  );
  db.close();
  overwritePages(path);
}

function closing(db: Database.Database): Database.Database & Disposable {
  return Object.assign(db, { [Symbol.dispose]: () => void db.close() });
}
