import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NO_DIVERSIONS, type Sample } from '../protocol/meter.ts';
import { rowOf, sampleOf, sampleOfRow } from './sample-row.ts';
import { openStoreFile, readStoreFile, type StoreFile } from './store-file.ts';
import { makeStorePlace, type StorePlace } from './testing/place.ts';
import { completion, NOON, sample } from './testing/samples.ts';

const HOUR = 3_600_000;

let place: StorePlace;
let file: StoreFile;
beforeEach(() => {
  place = makeStorePlace();
  file = openStoreFile(place.path);
});
afterEach(() => {
  file[Symbol.dispose]();
  place[Symbol.dispose]();
});

const put = (samples: readonly Sample[]): number =>
  file.write({ samples: samples.map(rowOf), cooldowns: [], hits: [] });
const all = (): Sample[] => [...file.samples.each({})].map(sampleOfRow);
const rollAll = (): void => {
  while (file.rollups.advance(7) > 0);
};

describe('samples', () => {
  it('come back as they were, whatever is missing in them', () => {
    const bare = sample(2, {
      model: null,
      served_model: null,
      err_type: 'limit',
      status: 429,
      ttfb_ms: null,
      stream_ms: null,
      tokens: null,
      h2: null,
      header_mode: null,
    });
    put([sample(1), bare, sample(3, { h2: false })]);
    expect(all()).toEqual([sample(1), bare, sample(3, { h2: false })]);
  });

  it('say of a completion what it said', () => {
    expect(sampleOf(completion(1))).toEqual(sample(1));
  });

  it('tell what did not go by its route, and why, of the newest in a time', () => {
    const decided = (id: number, decision: Sample['decision'], given: Partial<Sample> = {}): Sample =>
      sample(id, { decision, lane: 'anthropic', ...given });
    put([
      decided(1, 'license_block'),
      decided(2, 'quota_block'),
      // Its client left before anybody was asked.
      decided(3, 'quota_block', { attempts: 0, reason: 'client_abort', err_type: null }),
      decided(4, 'quota_block', { model: null, lane: 'zai', attempts: 0, err_type: 'limit', status: 429 }),
      decided(5, 'fallback_net', { model: 'b' }),
      decided(6, 'to_anthropic'),
      decided(7, 'quota_warn_attempt', { lane: 'zai' }),
      decided(9, 'quota_block'),
    ]);
    const { model } = sample(1);
    const [blocked, refused, unlicensed, net] = [
      { model, lane: 'anthropic', decision: 'quota_block', count: 2, refused: 0 },
      { model: null, lane: 'zai', decision: 'quota_block', count: 1, refused: 1 },
      { model, lane: 'anthropic', decision: 'license_block', count: 1, refused: 0 },
      { model: 'b', lane: 'anthropic', decision: 'fallback_net', count: 1, refused: 0 },
    ];
    const told = (given: { limit?: number; among?: number } = {}) =>
      file.samples.diversions({ since: NOON + 1, until: NOON + 9, limit: 10, among: 100, ...given });
    expect(told()).toEqual({
      looked_at: 7,
      oldest: NOON + 1,
      diversions: [blocked, refused, net, unlicensed],
      others: 0,
    });
    expect(told({ limit: 1 })).toMatchObject({ diversions: [blocked], others: 3 });
    expect(told({ among: 3 })).toEqual({ looked_at: 3, oldest: NOON + 5, diversions: [net], others: 0 });
    expect(file.samples.diversions({ since: 0, until: 1, limit: 1, among: 1 })).toEqual(NO_DIVERSIONS);
  });

  it('bound what no exchange can be, which would stop the rollups for ever', () => {
    const most = Number.MAX_SAFE_INTEGER;
    const tokens = {
      input: most,
      output: most,
      cache_read: most,
      cache_write_5m: most,
      cache_write_1h: most,
    };
    const absurd = { latency_ms: 1e16, ttfb_ms: 1e16, stream_ms: 1e300, tokens };
    put(Array.from({ length: 1_100 }, (_, id) => sample(id, absurd)));
    rollAll();
    const [hour] = file.rollups.read({ granularity: 'hour' });
    expect(hour).toMatchObject({
      count: 1_100,
      tokens: { input: 1_100e9 },
      duration_ms: 1_100e9,
      stream_ms: 1_100e9,
    });
  });

  it('are counted once, however often they come', () => {
    expect(put([sample(1), sample(2), sample(1)])).toBe(2);
    expect(put([sample(2), sample(3)])).toBe(1);
    expect(all()).toHaveLength(3);
  });

  it('come in pages, newest first, each exactly once, also where many have the same time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 7 }),
        fc.option(fc.integer({ min: 0, max: 4 })),
        (times, limit, end) => {
          const until = end === null ? {} : { until: NOON + end };
          file.db.exec('DELETE FROM samples');
          put(times.map((time, id) => sample(id, { ts: NOON + time })));
          const pages: Sample[][] = [];
          for (let cursor: string | undefined; ; ) {
            const page = file.samples.page({ limit, ...until, ...(cursor !== undefined && { cursor }) });
            pages.push([...page.samples]);
            if (page.next_cursor === null) break;
            cursor = page.next_cursor;
          }
          expect(pages.every(({ length }, at) => length === limit || at === pages.length - 1)).toBe(true);
          const wanted = all().filter(({ ts }) => end === null || ts < NOON + end);
          expect(pages.flat()).toEqual(wanted.toReversed());
        },
      ),
      { numRuns: 60 },
    );
  });

  type Part = { since: number; limit: number; among: number; cursor: string | null };
  it.each([
    [
      'for quotas',
      (part: Part) => {
        const { rows, next_cursor } = file.samples.history({ ...part, lanes: ['zai'] });
        return { rids: rows.map(([rid]) => rid), next_cursor };
      },
    ],
    [
      'of a lane',
      ({ cursor, ...part }: Part) => {
        const query = { ...part, lane: 'zai', ...(cursor !== null && { cursor }) };
        const { samples, next_cursor } = file.samples.page(query);
        return { rids: samples.map(({ rid }) => rid), next_cursor };
      },
    ],
  ])('come %s a few at a time, also where none of many counts, each exactly once', (_, ask) => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ time: fc.nat(3), zai: fc.boolean() }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(4),
        (items, limit, among, start) => {
          file.db.exec('DELETE FROM samples');
          const lane = (zai: boolean): string => (zai ? 'zai' : 'anthropic');
          put(items.map(({ time, zai }, id) => sample(id, { ts: NOON + time, lane: lane(zai) })));
          const since = NOON + start;
          const inTime = all().filter(({ ts }) => ts >= since);
          const found: unknown[] = [];
          let pages = 0;
          for (let cursor: string | null | undefined = null; cursor !== undefined; pages += 1) {
            const { rids, next_cursor } = ask({ since, limit, among, cursor });
            expect(rids.length).toBeLessThanOrEqual(Math.min(limit, among));
            found.push(...rids);
            cursor = next_cursor ?? undefined;
          }
          expect(found).toEqual(inTime.flatMap((one) => (one.lane === 'zai' ? one.rid : [])).toReversed());
          expect(pages).toBeGreaterThanOrEqual(inTime.length / among);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('are chosen by time, model and lane', () => {
    put([sample(1), sample(2, { lane: 'anthropic' }), sample(3, { model: 'other' }), sample(4)]);
    const rids = (query: object) =>
      file.samples.page({ limit: 9, ...query }).samples.map(({ ts }) => ts - NOON);
    expect(rids({ since: NOON + 2, until: NOON + 4 })).toEqual([3, 2]);
    expect(rids({ lane: 'zai', model: 'claude-haiku-4-5' })).toEqual([4, 1]);
  });

  it('refuse a cursor that no page named', () => {
    for (const cursor of ['', 'x', Buffer.from('1.2.3').toString('base64url')])
      expect(() => file.samples.page({ limit: 1, cursor })).toThrow('cursor: not one that a page named');
  });
});

describe('rollups', () => {
  const history = fc.array(
    fc.record({
      at: fc.integer({ min: 0, max: 3 * 24 }),
      lane: fc.constantFrom('zai', 'anthropic'),
      model: fc.constantFrom('a', '', null),
      status: fc.constantFrom(200, 429),
      latency_ms: fc.integer({ min: 0, max: 1e6 }).map((n) => n / 10),
      ttfb_ms: fc.option(fc.integer({ min: 0, max: 1e5 }).map((n) => n / 10)),
      tokens: fc.constantFrom(sample(0).tokens, null),
    }),
    { maxLength: 60 },
  );
  const samplesOf = (items: readonly { readonly at: number }[]): Sample[] =>
    items.map(({ at, ...given }, id) => sample(id, { ts: NOON + at * HOUR, ...given }));
  const fresh = (samples: readonly Sample[]) => {
    using other = makeStorePlace();
    using anew = openStoreFile(other.path);
    anew.write({ samples: samples.map(rowOf), cooldowns: [], hits: [] });
    return [anew.rollups.read({ granularity: 'hour' }), anew.rollups.read({ granularity: 'day' })];
  };

  it('are the same in any order of the samples and any splitting of the work, and match a recount', () => {
    fc.assert(
      fc.property(history, fc.array(fc.nat(59)), fc.nat(4), (items, order, step) => {
        file.db.exec('DELETE FROM samples; DELETE FROM rollups; UPDATE rolled_up SET seq = 0');
        file.db.exec('DELETE FROM sqlite_sequence');
        const samples = samplesOf(items);
        const first = order.flatMap((at) => samples[at] ?? []);
        for (const one of [...first, ...samples.toReversed()]) {
          put([one]);
          if (step > 0 && one.ts % step === 0) file.rollups.advance(step);
        }
        const found = [file.rollups.read({ granularity: 'hour' }), file.rollups.read({ granularity: 'day' })];
        expect(found).toEqual(fresh(samples));
        for (const rollups of found) {
          const sum = (value: (one: (typeof rollups)[number]) => number): number =>
            rollups.reduce((total, one) => total + value(one), 0);
          expect(sum(({ count }) => count)).toBe(samples.length);
          expect(sum(({ errors }) => errors)).toBe(samples.filter(({ status }) => status >= 400).length);
          const counted = samples.filter(({ tokens }) => tokens !== null);
          expect(sum(({ tokens }) => tokens.cache_write_1h)).toBe(50 * counted.length);
          const silent = samples.filter(({ status, tokens }) => status === 200 && tokens === null);
          expect(sum(({ uncounted }) => uncounted)).toBe(silent.length);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('have percentiles of their own hour and of the whole day, within 2 %', () => {
    const latencies = Array.from({ length: 400 }, (_, at) => 10 * 1.02 ** at);
    put(latencies.map((latency_ms, id) => sample(id, { ts: NOON + (id % 4) * HOUR, latency_ms })));
    rollAll();
    const exact = (values: readonly number[], percent: number): number =>
      values[Math.ceil((values.length * percent) / 100) - 1] ?? 0;
    const near = (found: number | null | undefined, right: number): void =>
      expect(Math.abs((found ?? 0) / right - 1)).toBeLessThan(0.02);
    const [day] = file.rollups.read({ granularity: 'day' });
    near(day?.latency_p50, exact(latencies, 50));
    near(day?.latency_p95, exact(latencies, 95));
    for (const [part, hour] of file.rollups.read({ granularity: 'hour' }).entries())
      near(
        hour.latency_p95,
        exact(
          latencies.filter((_, at) => at % 4 === part),
          95,
        ),
      );
  });

  describe('of more names than a client has a right to', () => {
    const made = (count: number): Sample[] =>
      Array.from({ length: count }, (_, id) =>
        sample(id, { model: `made up ${id % 300}`, served_model: id % 2 ? null : `echo ${id % 500}` }),
      );
    const named = (by: 'model' | 'served_model') => file.rollups.read({ granularity: 'hour', by });
    const other = () => named('model').find(({ model }) => model === '(other)')?.count;

    it('tell a hundred apart and count the others together, rolled up or not', () => {
      put(made(1_000));
      const before = [named('model'), named('served_model')];
      expect(before.map(({ length }) => length)).toEqual([101, expect.toSatisfy((n: number) => n < 400)]);
      expect(other()).toBe(1_000 - 4 * 100);
      file.rollups.advance(123);
      expect([named('model'), named('served_model')]).toEqual(before);
      while (file.rollups.advance(200) > 0);
      expect([named('model'), named('served_model')]).toEqual(before);
      expect(file.rollups.read({ granularity: 'day' })).toHaveLength(101);
    });

    it('go on with the names that they have, in another hour with others', () => {
      put(made(500));
      rollAll();
      put([
        sample(9_001, { model: 'made up 7' }),
        sample(9_002, { model: 'late' }),
        sample(9_003, { model: 'late', ts: NOON + HOUR }),
      ]);
      rollAll();
      expect(file.rollups.read({ granularity: 'hour', model: 'made up 7' })).toMatchObject([{ count: 3 }]);
      expect(file.rollups.read({ granularity: 'hour', model: 'late' })).toMatchObject([
        { start: NOON + HOUR, count: 1 },
      ]);
    });

    it('know what of them is forgotten', () => {
      put(made(500));
      rollAll();
      file.samples.forget(NOON + 200, 1_000);
      const counts = [...file.rollups.ofForgotten().values()].map(({ model, count }) => [model, count]);
      expect(counts).toHaveLength(101);
      expect(counts).toContainEqual(['made up 7', 1]);
      expect(counts).toContainEqual(['(other)', 100]);
    });
  });

  it('refuse more than were asked for', () => {
    put([sample(1), sample(2, { lane: 'anthropic' })]);
    expect(file.rollups.read({ granularity: 'hour', limit: 2 })).toHaveLength(2);
    expect(() => file.rollups.read({ granularity: 'hour', limit: 1 })).toThrow(
      'more than 1 rollups: ask for a shorter time (since, until)',
    );
  });

  it('know what was not rolled up yet', () => {
    put([sample(1), sample(2)]);
    file.rollups.advance(1);
    expect(file.rollups.read({ granularity: 'hour' })).toMatchObject([{ count: 2 }]);
  });

  it('are those that touch the time asked for, of the lane and model asked for', () => {
    put([
      sample(1),
      sample(2, { ts: NOON + HOUR }),
      sample(3, { lane: 'anthropic' }),
      sample(4, { model: 'x' }),
    ]);
    rollAll();
    const starts = (query: object) =>
      file.rollups
        .read({ granularity: 'hour', ...query })
        .map(({ start, count }) => [(start - NOON) / HOUR, count]);
    expect(starts({ since: NOON + 1, until: NOON + 2, model: 'claude-haiku-4-5', lane: 'zai' })).toEqual([
      [0, 1],
    ]);
    expect(starts({ since: NOON + HOUR })).toEqual([[1, 1]]);
  });

  it('call an error what the client could not use, and not that it left', () => {
    put([
      sample(1, { status: 200, reason: 'truncated' }),
      sample(2, { status: 200, reason: 'client_abort' }),
      sample(3, { status: 499, reason: 'client_abort' }),
      sample(4, { status: 502, reason: 'upstream_error' }),
    ]);
    expect(file.rollups.read({ granularity: 'day' })).toMatchObject([{ count: 4, errors: 3 }]);
  });

  it('tell of how many messages nobody knows the tokens, rolled up or not', () => {
    const nothing = { input: 0, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 };
    put([
      sample(1, { tokens: null }),
      sample(2, { tokens: null, status: 499, reason: 'client_abort' }),
      sample(3, { tokens: nothing }),
      sample(7, { status: 200, reason: 'truncated' }),
      sample(4, { tokens: null, op: 'count_tokens' }),
      sample(5, { tokens: null, status: 429, reason: 'upstream_error' }),
      sample(6, { tokens: null, status: 499, reason: 'client_abort', attempts: 0 }),
    ]);
    for (const granularity of ['hour', 'day'] as const)
      expect(file.rollups.read({ granularity })).toMatchObject([{ count: 7, uncounted: 4 }]);
    rollAll();
    for (const granularity of ['hour', 'day'] as const)
      expect(file.rollups.read({ granularity })).toMatchObject([{ count: 7, uncounted: 4 }]);
    file.samples.forget(NOON + 2, 100);
    expect([...file.rollups.ofForgotten().values()]).toMatchObject([{ count: 1, uncounted: 1 }]);
  });
});

describe('retention', () => {
  it('deletes what is old and rolled up, never what is not', () => {
    put([sample(1), sample(2), sample(3)]);
    file.rollups.advance(2);
    expect(file.samples.countBefore(NOON + HOUR)).toBe(2);
    expect(file.samples.forget(NOON + HOUR, 100)).toBe(2);
    expect(all()).toEqual([sample(3)]);
    rollAll();
    expect(file.samples.forget(NOON + 3, 100)).toBe(0);
    expect(file.rollups.read({ granularity: 'hour' })).toMatchObject([{ count: 3 }]);
  });

  it('goes by the clock, unless it is more than a day past all that was ever seen', () => {
    const DAY = 24 * HOUR;
    expect(file.samples.horizon(NOON, DAY)).toBe(NOON - DAY);
    put([sample(0, { ts: NOON })]);
    expect(file.samples.horizon(NOON + HOUR, DAY)).toBe(NOON + HOUR - DAY);
    expect(file.samples.horizon(NOON + 30 * DAY, DAY)).toBe(NOON);
  });

  it('leaves no way to count a sample twice: what was deleted is known by its id', () => {
    put([sample(1), sample(2, { rid: 'not hexadecimal' })]);
    rollAll();
    file.samples.forget(NOON + HOUR, 100);
    const rids = [sample(1).rid, 'not hexadecimal', sample(3).rid];
    expect(rids.map((rid) => file.samples.knows(rid))).toEqual([true, true, false]);
    expect(put([sample(1), sample(2, { rid: 'not hexadecimal' }), sample(3)])).toBe(1);
    expect(file.samples.knows(sample(3).rid)).toBe(true);
    rollAll();
    expect(file.rollups.read({ granularity: 'hour' })).toMatchObject([{ count: 3 }]);
  });

  it('knows what was deleted also among many that are younger, new, or there already', () => {
    const many = (from: number, ts: number): Sample[] =>
      Array.from({ length: 25 }, (_, at) => sample(from + at, { ts: ts + at }));
    const [old, young] = [many(1, NOON - 48 * HOUR), many(101, NOON)];
    expect([put(old), put(young)]).toEqual([25, 25]);
    rollAll();
    expect(file.samples.forget(NOON - HOUR, 100)).toBe(25);
    const fresh = many(201, NOON - 40 * HOUR);
    expect(put([...fresh, ...young, ...old, ...fresh, ...old, ...young])).toBe(25);
    expect(all()).toHaveLength(50);
  });

  it('forgets ids by the day of what they were of, and says from which day on it knows them', () => {
    const DAY = 24 * HOUR;
    put([sample(1, { ts: NOON - 3 * DAY }), sample(2, { ts: NOON - DAY }), sample(3, { ts: NOON })]);
    rollAll();
    file.samples.forget(NOON + 1, 100);
    const ids = () => file.db.prepare('SELECT count(*) FROM forgotten').pluck().get();
    expect([file.samples.forgetIds(NOON - 3 * DAY, 100), file.samples.idsFrom()]).toEqual([0, 0]);
    expect(file.samples.forgetIds(NOON, 1)).toBe(1);
    expect(file.samples.forgetIds(NOON, 1)).toBe(1);
    expect([file.samples.forgetIds(NOON, 1), ids()]).toEqual([0, 1]);
    expect(file.samples.idsFrom()).toBe(NOON - (NOON % DAY));
    expect(put([sample(3, { ts: NOON })])).toBe(0);
  });
});

describe('hours that are forgotten', () => {
  const DAY = 24 * HOUR;
  /** Beginning of the day of NOON. */
  const TODAY = NOON - (NOON % DAY);
  const hours = (query: object = {}) =>
    file.rollups
      .read({ granularity: 'hour', ...query })
      .map(({ start, count }) => [(start - TODAY) / HOUR, count]);

  it('are told by their day, which counts the same, also what comes late or is not rolled up', () => {
    put([sample(1), sample(2, { ts: NOON + HOUR }), sample(3, { ts: NOON + DAY })]);
    rollAll();
    expect(file.rollups.forgetHours(NOON + DAY, 100)).toBe(2);
    expect(hours()).toEqual([
      [0, 2],
      [36, 1],
    ]);
    put([sample(4)]);
    const late = [
      [0, 3],
      [36, 1],
    ];
    expect(hours()).toEqual(late);
    rollAll();
    expect(hours()).toEqual(late);
    expect(hours({ since: NOON + HOUR, until: TODAY + DAY })).toEqual([[0, 3]]);
    expect(hours({ since: TODAY + DAY })).toEqual([[36, 1]]);
    expect(file.rollups.forgetHours(NOON + DAY, 100)).toBe(1);
    expect([hours(), file.rollups.hoursFrom()]).toEqual([late, TODAY + DAY]);
  });

  it('still tell what of them is forgotten', () => {
    put([sample(1), sample(2, { ts: NOON + HOUR }), sample(3, { ts: NOON + DAY })]);
    rollAll();
    file.rollups.forgetHours(NOON + DAY, 100);
    file.samples.forget(NOON + HOUR, 100);
    const left = [...file.rollups.ofForgotten().values()].map(({ start, count }) => [start, count]);
    expect(left).toEqual([[TODAY, 1]]);
  });
});

describe('the file', () => {
  it.each([1, 39])(
    'takes all of a batch or nothing, and goes on (%d before one that is broken)',
    (before) => {
      const good = Array.from({ length: before }, (_, at) => sample(at + 2));
      const broken = rowOf(sample(1));
      Object.assign(broken, { 2: null });
      expect(() => file.write({ samples: [...good.map(rowOf), broken], cooldowns: [], hits: [] })).toThrow(
        'NOT NULL',
      );
      expect(all()).toEqual([]);
      expect(put(good)).toBe(before);
    },
  );

  it('can be read beside its writer', () => {
    using reader = readStoreFile(place.path);
    put([sample(1)]);
    expect(reader.status()).toMatchObject({
      samples: 1,
      oldest: NOON + 1,
      newest: NOON + 1,
      schema_version: 4,
    });
  });
});

describe('a reader', () => {
  it('leaves nothing beside a file that nobody else has open, and cannot write it', () => {
    put([sample(1)]);
    file[Symbol.dispose]();
    const before = readFileSync(place.path);
    {
      using reader = readStoreFile(place.path);
      expect(reader.status().samples).toBe(1);
      expect(() => reader.db.exec('DELETE FROM samples')).toThrow('readonly');
    }
    expect(readdirSync(dirname(place.path))).toEqual([basename(place.path)]);
    expect(readFileSync(place.path).equals(before)).toBe(true);
  });

  it('leaves what belongs to another one where it is', () => {
    using other = readStoreFile(place.path);
    readStoreFile(place.path)[Symbol.dispose]();
    put([sample(1)]);
    expect(other.status().samples).toBe(1);
    expect(readdirSync(dirname(place.path))).toContain(`${basename(place.path)}-wal`);
  });
});

describe('cooldowns and limit hits', () => {
  const cooldown = { lane: 'zai', key: '*haiku*', until: NOON, stated: 'reset' } as const;
  const hit = {
    rid: 'r1',
    ts: NOON,
    lane: 'zai',
    key: '*haiku*',
    kind: 'window',
    rolling_pct: 97.5,
    weekly_pct: null,
    since_warn_s: 12,
    resets_at: NOON + HOUR,
  } as const;

  it('keep the last word on each lane and key, until it is over', () => {
    file.write({ samples: [], cooldowns: [cooldown, { ...cooldown, until: NOON - 5 }], hits: [] });
    file.write({ samples: [], cooldowns: [{ ...cooldown, key: 'x' }], hits: [] });
    expect(file.cooldowns.current(NOON - 6)).toEqual([
      { ...cooldown, until: NOON - 5 },
      { ...cooldown, key: 'x' },
    ]);
    expect(file.cooldowns.current(NOON - 5)).toEqual([{ ...cooldown, key: 'x' }]);
  });

  it('keep one hit per exchange, lane and key, oldest first', () => {
    const later = { ...hit, rid: 'r2', ts: NOON + 1 };
    file.write({ samples: [], cooldowns: [], hits: [later, hit, hit] });
    expect(file.limitHits.telling()).toEqual([hit, later]);
  });

  it('are forgotten when they are over or too many, but for the hits that tell how full a window was', () => {
    const made = (at: number, given: object) => ({ ...hit, rid: `m${at}`, ts: NOON + at, ...given });
    const throttles = Array.from({ length: 3000 }, (_, at) => made(at, { kind: 'throttle', key: `k${at}` }));
    const windows = Array.from({ length: 30 }, (_, at) => made(at - 1000, {}));
    file.write({ samples: [], cooldowns: [cooldown], hits: [...windows, ...throttles] });
    expect(file.limitHits.telling()).toEqual(windows.slice(10));
    file.limitHits.forget();
    const count = file.db.prepare('SELECT count(*) FROM limit_hits').pluck();
    expect(count.get()).toBe(2020);
    expect(file.limitHits.telling()).toEqual(windows.slice(10));
    file.cooldowns.forget(NOON - 1);
    expect(file.cooldowns.current(0)).toEqual([cooldown]);
    file.cooldowns.forget(NOON);
    expect(file.cooldowns.current(0)).toEqual([]);
  });
});
