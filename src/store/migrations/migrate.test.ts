import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { encode, type Histogram, record } from '../histogram.ts';
import { mergeStores } from '../merge.ts';
import { rowOf, SAMPLE_COLUMNS } from '../sample-row.ts';
import { openStoreFile, readStoreFile } from '../store-file.ts';
import { makeStorePlace, type StorePlace } from '../testing/place.ts';
import { NOON, sample } from '../testing/samples.ts';
import { MIGRATIONS, migrate } from './migrate.ts';

let place: StorePlace;
beforeEach(() => {
  place = makeStorePlace();
});
afterEach(() => place[Symbol.dispose]());

/** What inserts today asks for what the first schema does not have. */
const insert = (db: Database.Database, id: number): unknown =>
  db
    .prepare(
      `INSERT INTO samples (${SAMPLE_COLUMNS.join()}) VALUES (${SAMPLE_COLUMNS.map(() => '?').join()})`,
    )
    .run(...rowOf(sample(id)));

/** A store as its first release left it: two exchanges of one hour, counted. */
function firstSchema(): void {
  const db = new Database(place.path);
  migrate(db, MIGRATIONS.slice(0, 1));
  for (const id of [1, 2]) insert(db, id);
  const durations: Histogram = new Map();
  for (const ms of [1234.5, 1234.5]) record(durations, ms);
  const rollup = db.prepare(
    `INSERT INTO rollups VALUES (?, ?, 'zai', 'claude-haiku-4-5', 2, 0, 20, 40, 60, 80, 100, 2469000, 1800800, ?, ?)`,
  );
  rollup.run('hour', NOON, encode(durations), encode(durations));
  rollup.run('day', NOON - (NOON % 86_400_000), encode(durations), encode(durations));
  db.exec('UPDATE rolled_up SET seq = 2');
  db.close();
}

it('keeps what the first schema counted, and counts on beside it', () => {
  firstSchema();
  using file = openStoreFile(place.path);
  expect(file.status()).toMatchObject({ schema_version: MIGRATIONS.length, samples: 2 });
  file.write({ samples: [rowOf(sample(3)), rowOf(sample(2))], cooldowns: [], hits: [] });
  while (file.rollups.advance(10) > 0);
  for (const granularity of ['hour', 'day'] as const) {
    expect(file.rollups.read({ granularity })).toMatchObject([
      { count: 3, streamed_tokens: 60, tokens: { output: 60 } },
    ]);
    const served = file.rollups.read({ granularity, by: 'served_model' });
    expect(served.map(({ served_model: name, count }) => [name, count])).toEqual([
      [null, 2],
      ['glm-4.6', 1],
    ]);
  }
});

it('takes from samples what would stop the rollups for ever', () => {
  firstSchema();
  {
    const db = new Database(place.path);
    insert(db, 3);
    db.exec('UPDATE samples SET latency_ms = 1e16, stream_ms = 1e16, tokens_output = 9e18 WHERE seq = 3');
    db.close();
  }
  using file = openStoreFile(place.path);
  expect(file.rollups.advance(10)).toBe(1);
  expect(file.rollups.read({ granularity: 'hour' })).toMatchObject([
    { count: 3, tokens: { output: 1e9 + 40 } },
  ]);
});

it('joins a store of the first schema that has forgotten what it counted', async () => {
  firstSchema();
  {
    using file = openStoreFile(place.path);
    file.write({ samples: [rowOf(sample(3))], cooldowns: [], hits: [] });
    while (file.rollups.advance(10) > 0);
    expect(file.samples.forget(NOON + 2, 10)).toBe(1);
  }
  const { merge } = await mergeStores(`${place.path}.merged`, [place.path]);
  using joined = merge;
  expect(joined.rollups('hour')).toMatchObject([{ count: 3, tokens: { input: 30 } }]);
});

it('knows the ids that the second schema had forgotten, and counts them as of today', () => {
  firstSchema();
  {
    const db = new Database(place.path);
    migrate(db, MIGRATIONS.slice(0, 2));
    db.exec(
      `INSERT INTO forgotten SELECT unhex(rid) FROM samples WHERE seq = 1; DELETE FROM samples WHERE seq = 1`,
    );
    db.close();
  }
  using file = openStoreFile(place.path);
  expect(file.write({ samples: [sample(1), sample(2), sample(3)].map(rowOf), cooldowns: [], hits: [] })).toBe(
    1,
  );
  expect(file.samples.forgetIds(Date.now() - 86_400_000, 10)).toBe(0);
  expect(file.samples.forgetIds(Date.now() + 2 * 86_400_000, 10)).toBe(1);
});

it.each([1, 2, 3])(
  'counts from schema %d on what nobody counted, and says none of what it had added up',
  (before) => {
    firstSchema();
    {
      const db = new Database(place.path);
      migrate(db, MIGRATIONS.slice(0, before));
      db.exec('UPDATE samples SET tokens_input = NULL WHERE seq = 2');
      db.close();
    }
    using file = openStoreFile(place.path);
    expect(file.rollups.read({ granularity: 'hour' })).toMatchObject([{ count: 2, uncounted: 0 }]);
    file.write({ samples: [rowOf(sample(3, { tokens: null }))], cooldowns: [], hits: [] });
    while (file.rollups.advance(10) > 0);
    for (const granularity of ['hour', 'day'] as const)
      expect(file.rollups.read({ granularity })).toMatchObject([{ count: 3, uncounted: 1 }]);
    // Of the first, which alone is forgotten, nobody can tell; and less than none is nothing.
    file.samples.forget(NOON + 2, 1);
    expect([...file.rollups.ofForgotten().values()]).toMatchObject([{ count: 1, uncounted: 0 }]);
  },
);

it('leaves a file as it was where a step fails, and does not read one that waits for its steps', () => {
  firstSchema();
  const db = new Database(place.path);
  const before = db.serialize();
  expect(() => migrate(db, [...MIGRATIONS.slice(0, 1), 'CREATE TABLE more (x); SELECT broken'])).toThrow(
    'broken',
  );
  expect(db.serialize().equals(before)).toBe(true);
  db.close();
  expect(() => readStoreFile(place.path)).toThrow(`has schema 1, and this ccp reads ${MIGRATIONS.length}`);
});
