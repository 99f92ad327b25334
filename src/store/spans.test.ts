/** What is read by days where days can tell it adds up to what hours tell: the sums of spans, and when models were used. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bestHours, type HourUse } from '../protocol/hours.ts';
import type { Rollup, Sample } from '../protocol/meter.ts';
import { rowOf } from './sample-row.ts';
import { openStoreFile, type StoreFile } from './store-file.ts';
import { makeStorePlace, type StorePlace } from './testing/place.ts';
import { NOON, sample } from './testing/samples.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Beginning of the day of NOON. */
const TODAY = NOON - (NOON % DAY);
const MANY = 10_000;

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

/** Days from TODAY on, to the minute. */
const moment = fc.integer({ min: -1 * 24 * 60, max: 6 * 24 * 60 }).map((minutes) => TODAY + minutes * 60_000);
const used = fc.record({
  ts: moment,
  lane: fc.constantFrom('zai', 'anthropic'),
  model: fc.constantFrom('a', 'b', '', null),
  served_model: fc.constantFrom('x', 'y', null),
  status: fc.constantFrom(200, 429),
  stream_ms: fc.option(fc.integer({ min: 0, max: 60_000 })),
  tokens: fc.option(
    fc.record({
      input: fc.nat(99),
      output: fc.nat(99),
      cache_read: fc.nat(99),
      cache_write_5m: fc.nat(99),
      cache_write_1h: fc.nat(99),
    }),
  ),
});
const history = fc.record({
  early: fc.array(used, { maxLength: 40 }),
  late: fc.array(used, { maxLength: 10 }),
  /** Hours before are forgotten once the early ones are rolled up. */
  forgotten: fc.constantFrom(null, TODAY + DAY, TODAY + 2 * DAY, TODAY + 4 * DAY),
  /** Of the late ones. */
  rolledUp: fc.nat(10),
  since: moment,
  until: moment,
});

/** A file in which some of it is rolled up, and some of that told by days alone. */
function keep({
  early,
  late,
  forgotten,
  rolledUp,
}: typeof history extends fc.Arbitrary<infer T> ? T : never) {
  file.db.exec('DELETE FROM samples; DELETE FROM rollups; UPDATE rolled_up SET seq = 0, hours_from = 0');
  file.db.exec('DELETE FROM sqlite_sequence');
  put(early.map((given, id) => sample(id, given)));
  while (file.rollups.advance(7) > 0);
  if (forgotten !== null) while (file.rollups.forgetHours(forgotten, 100) > 0);
  put(late.map((given, id) => sample(1_000 + id, given)));
  if (rolledUp > 0) file.rollups.advance(rolledUp);
}

const hoursIn = (since: number, until: number): readonly Rollup[] =>
  file.rollups.read({ granularity: 'hour', by: 'served_model', since, until });

/** Adds up rollups that `place` puts together. */
function summed(rollups: readonly Rollup[], placeOf: (one: Rollup) => number): Record<string, object> {
  const sums: Record<string, Record<string, number>> = {};
  for (const one of rollups) {
    const key = JSON.stringify([placeOf(one), one.lane, one.model, one.served_model]);
    const { count, errors, uncounted, streamed_tokens, duration_ms, stream_ms, tokens } = one;
    const us = { duration: Math.round(duration_ms * 1000), stream: Math.round(stream_ms * 1000) };
    const sum = (sums[key] ??= {});
    for (const [name, value] of Object.entries({
      count,
      errors,
      uncounted,
      streamed_tokens,
      ...us,
      ...tokens,
    }))
      sum[name] = (sum[name] ?? 0) + value;
  }
  return sums;
}

describe('sums of spans', () => {
  it('are those of their hours, to the token, whatever is rolled up or forgotten', () => {
    const cuts = fc.subarray([-1, 1, 2, 3, 5].map((day) => TODAY + day * DAY));
    fc.assert(
      fc.property(history, cuts, (all, at) => {
        keep(all);
        const { since, until } = all;
        const spans = file.rollups.spans({ since, until, cuts: at, limit: MANY });
        const spanOf = ({ start }: Rollup): number =>
          Math.max(since, at.findLast((cut) => cut <= start) ?? since);
        expect(summed(spans, ({ start }) => start)).toEqual(summed(hoursIn(since, until), spanOf));
      }),
      { numRuns: 200 },
    );
  });

  it('are one for each lane, model and model that served, however long the time', () => {
    put(Array.from({ length: 400 }, (_, n) => sample(n, { ts: TODAY + n * DAY, served_model: `s${n % 2}` })));
    while (file.rollups.advance(100) > 0);
    const query = { since: TODAY + HOUR, until: TODAY + 500 * DAY };
    const cut = TODAY + 100 * DAY;
    const spans = file.rollups.spans({ ...query, cuts: [cut], limit: 4 });
    expect(spans.map(({ start, served_model, count }) => [start, served_model, count])).toEqual([
      [query.since, 's0', 49],
      [query.since, 's1', 50],
      [cut, 's0', 150],
      [cut, 's1', 150],
    ]);
    expect(() => file.rollups.spans({ ...query, cuts: [cut], limit: 3 })).toThrow(
      'more than 3 sums of lanes and models: ask for a shorter time (since, until)',
    );
  });

  it('read hours at the edges of the time alone', () => {
    const ages = [0, 11, 23, 24, 36, 47, 48, 60].map((hours) => TODAY + hours * HOUR);
    put(ages.map((ts, id) => sample(id, { ts })));
    while (file.rollups.advance(100) > 0);
    // As if the hours of the day between had been lost.
    file.db.exec(
      `DELETE FROM rollups WHERE granularity = 'hour' AND start >= ${TODAY + DAY} AND start < ${TODAY + 2 * DAY}`,
    );
    const count = (from: number, to: number) =>
      file.rollups
        .spans({ since: TODAY + from * HOUR, until: TODAY + to * HOUR, cuts: [], limit: MANY })
        .reduce((sum, one) => sum + one.count, 0);
    expect([count(0, 72), count(11, 49), count(12, 48)]).toEqual([8, 6, 4]);
    expect([count(25, 48), count(24, 47)]).toEqual([0, 0]);
  });
});

describe('when models were used', () => {
  it('is what their hours say, on all lanes together, whatever is rolled up or forgotten', () => {
    const models = fc.subarray(['a', 'b', '', null, 'never']);
    fc.assert(
      fc.property(history, models, (all, asked) => {
        keep(all);
        const { since, until } = all;
        const rows = hoursIn(since, until).filter(({ model }) => asked.includes(model));
        const expected = asked.flatMap((model) => {
          const mine = rows.filter((row) => row.model === model);
          const known = mine.filter(({ start }) => start >= file.rollups.hoursFrom());
          const first = Math.min(...mine.map(({ start }) => start));
          return mine.length === 0 ? [] : { model, first, ...bestHours(hoursOf(known)) };
        });
        const found = file.rollups.hoursOf({ models: asked, since, until });
        const byName = (one: { readonly model: string | null }) => JSON.stringify(one.model);
        expect(Object.fromEntries(found.map((one) => [byName(one), one]))).toEqual(
          Object.fromEntries(expected.map((one) => [byName(one), one])),
        );
      }),
      { numRuns: 200 },
    );
  });
});

function hoursOf(rows: readonly Rollup[]): Map<number, HourUse> {
  const hours = new Map<number, HourUse>();
  for (const { start, tokens, streamed_tokens, stream_ms } of rows) {
    const {
      tokens: before,
      streamed,
      streamMs,
    } = hours.get(start) ?? { tokens: 0, streamed: 0, streamMs: 0 };
    const all = Object.values(tokens).reduce((sum, count) => sum + count, 0);
    hours.set(start, {
      tokens: before + all,
      streamed: streamed + streamed_tokens,
      streamMs: streamMs + stream_ms,
    });
  }
  return hours;
}
