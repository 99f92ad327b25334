import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sample } from '../protocol/meter.ts';
import { mergeStores } from './merge.ts';
import { rowOf } from './sample-row.ts';
import { openStoreFile, readStoreFile, type StoreFile } from './store-file.ts';
import { makeStorePlace, type StorePlace } from './testing/place.ts';
import { NOON, sample } from './testing/samples.ts';

const HOUR = 3_600_000;

let place: StorePlace;
beforeEach(() => {
  place = makeStorePlace();
});
afterEach(() => place[Symbol.dispose]());

const pathOf = (name: string): string => join(place.folder, `${name}.sqlite3`);

/** Puts samples into a store, rolls them up and forgets those before a time. */
function fill(name: string, samples: readonly Sample[], forgetBefore = 0): string {
  using file = openStoreFile(pathOf(name));
  file.write({ samples: samples.map(rowOf), cooldowns: [], hits: [] });
  while (file.rollups.advance(100) > 0);
  file.samples.forget(forgetBefore, 1_000);
  return pathOf(name);
}

async function merged(paths: readonly string[], log: readonly Sample[] = []) {
  const { merge, stores } = await mergeStores(pathOf('scratch'), paths);
  using joined = merge;
  joined.add(log.map(rowOf));
  return { stores, hours: joined.rollups('hour'), days: joined.rollups('day') };
}

/** Lets its columns hold any value, as damage does. */
function loosen({ db }: StoreFile): void {
  const schema = "UPDATE sqlite_schema SET sql = replace(replace(sql, ' NOT NULL', ''), 'STRICT', '')";
  db.unsafeMode(true);
  db.exec(`PRAGMA writable_schema = ON; ${schema} WHERE name = 'samples'; PRAGMA writable_schema = RESET`);
}

/** What one store that saw everything would say. */
function whole(samples: readonly Sample[]) {
  using file = openStoreFile(pathOf('whole'));
  file.write({ samples: samples.map(rowOf), cooldowns: [], hits: [] });
  return {
    hours: file.rollups.read({ granularity: 'hour' }),
    days: file.rollups.read({ granularity: 'day' }),
  };
}

/** Some exchanges around noon, an hour apart. */
const exchanges = (from: number, to: number): Sample[] =>
  Array.from({ length: to - from }, (_, at) =>
    sample(from + at, { ts: NOON + (from + at) * HOUR, latency_ms: (from + at) * 10 }),
  );

describe('merging', () => {
  it('adds up of how many exchanges nobody knows the tokens, forgotten or not', async () => {
    const silent = exchanges(0, 4).map((one, at) => (at % 2 === 0 ? { ...one, tokens: null } : one));
    const paths = [fill('a', silent.slice(0, 3), NOON + HOUR + 1), fill('b', silent.slice(2))];
    const { hours, days } = await merged(paths);
    expect({ hours, days }).toEqual(whole(silent));
    expect(days).toMatchObject([{ count: 4, uncounted: 2 }]);
  });

  it('leaves out of logs what a store may count without knowing its id any more', async () => {
    const day = 24 * HOUR;
    const old = [sample(1, { ts: NOON - 2 * day }), sample(2, { ts: NOON - 2 * day })];
    const path = fill('a', old, NOON);
    {
      using file = openStoreFile(path);
      expect(file.samples.forgetIds(NOON - day, 10)).toBe(2);
    }
    // Nor can it be told that this is a copy.
    copyFileSync(path, pathOf('copy'));
    const { merge, stores } = await mergeStores(pathOf('scratch'), [path, pathOf('copy')]);
    using joined = merge;
    expect(joined.add([...old, sample(3)].map(rowOf))).toEqual({ added: 1, tooOld: 2 });
    expect(joined.rollups('day').map(({ count }) => count)).toEqual([2, 1]);
    expect(stores.map(({ forgotten, problem }) => [forgotten, problem])).toEqual([
      [2, null],
      [0, expect.stringContaining('too old to be told apart')],
    ]);
  });

  it('counts each exchange once, whichever stores and logs tell of it', async () => {
    const paths = [fill('a', exchanges(0, 20)), fill('b', exchanges(10, 30))];
    expect(await merged(paths, exchanges(25, 40))).toMatchObject(whole(exchanges(0, 40)));
  });

  it('counts what a store has forgotten, once, though a log or another store still has it', async () => {
    const paths = [fill('a', exchanges(0, 20), NOON + 12 * HOUR), fill('b', exchanges(5, 30))];
    const found = await merged(paths, exchanges(0, 35));
    expect(found).toMatchObject(whole(exchanges(0, 35)));
    expect(found.stores.map(({ forgotten, problem }) => [forgotten, problem])).toEqual([
      [12, null],
      [0, null],
    ]);
  });

  it('takes nothing from the others where a store is damaged, wherever that is, and says so', async () => {
    const path = fill('a', exchanges(0, 700), NOON + 200 * HOUR);
    const other = fill('b', exchanges(800, 850));
    const sound = readFileSync(path);
    const problems = new Set<string | null>();
    const counted = new Set<number>();
    for (let at = 4_096; at < sound.length; at += 8_192) {
      writeFileSync(path, Buffer.from(sound).fill('damaged!', at, at + 8_192));
      const { hours, stores } = await merged([path, other]);
      for (const suffix of ['', '-wal', '-shm']) rmSync(pathOf('scratch') + suffix, { force: true });
      expect(hours.filter(({ start }) => start >= NOON + 800 * HOUR)).toHaveLength(50);
      expect(stores.find((one) => one.path === other)).toMatchObject({ samples: 50, problem: null });
      counted.add(stores.find((one) => one.path === path)?.samples ?? 0);
      problems.add(stores.find((one) => one.path === path)?.problem ?? null);
    }
    expect([...problems]).toContain('database disk image is malformed');
    // What comes before the damage counts.
    expect([...counted].some((samples) => samples > 0 && samples < 500)).toBe(true);
  });

  it('leaves out of a damaged store what no exchange can be, and says how many', async () => {
    const path = fill('a', exchanges(0, 5));
    {
      using file = openStoreFile(path);
      file.db.exec('UPDATE samples SET latency_ms = -1e300 WHERE seq = 1');
      file.db.exec(`UPDATE samples SET ts = ${Number.MAX_SAFE_INTEGER} WHERE seq = 2`);
      file.db.exec('UPDATE samples SET stream_ms = 1e300 WHERE seq = 3');
    }
    const { days, stores } = await merged([path]);
    expect(days).toMatchObject([{ count: 3 }]);
    expect(stores).toMatchObject([
      { samples: 3, problem: 'left out: 2 exchanges with values that none can have: the file is damaged' },
    ]);
  });

  it.each([
    ['status', "'fine'"],
    ['latency_ms', "'long'"],
    ['lane', "x'00'"],
    ['bytes_in', '9223372036854775807'],
    ['tokens_input', "'many'"],
    ['op', 'NULL'],
    ['h2', '0.5'],
  ])(
    'leaves out of a damaged store the one whose %s is %s, and counts all around it',
    async (column, value) => {
      const path = fill('a', exchanges(0, 1_600));
      {
        using file = openStoreFile(path);
        loosen(file);
        file.db.exec(`UPDATE samples SET ${column} = ${value} WHERE seq = 1500`);
      }
      const { days, stores } = await merged([path]);
      expect(stores).toMatchObject([
        {
          samples: 1_599,
          problem: expect.stringMatching(/^left out: 1 exchange with values that none can have/),
        },
      ]);
      expect(days.reduce((sum, { tokens }) => sum + tokens.input, 0)).toBe(15_990);
    },
  );

  it('counts once what a proxy forgets in the middle of it', async () => {
    const all = Array.from({ length: 4_000 }, (_, id) => sample(id));
    const path = fill('a', all);
    const proxy = spawn(process.execPath, [join(import.meta.dirname, 'testing/forgetful.ts'), path]);
    await once(proxy.stdout, 'data');
    const { stores, days } = await merged([path], all);
    expect(days).toMatchObject([{ count: 4_000 }]);
    expect(stores).toMatchObject([{ problem: null }]);
    await once(proxy, 'exit');
    using rest = readStoreFile(path);
    expect(rest.status().samples).toBe(0);
  });

  it('counts by the day where a store has forgotten the hours', async () => {
    const path = fill('a', exchanges(0, 40), NOON + 15 * HOUR);
    {
      using file = openStoreFile(path);
      file.rollups.forgetHours(NOON + 24 * HOUR, 100);
    }
    const found = await merged([path], exchanges(5, 45));
    expect(found.days).toEqual(whole(exchanges(0, 45)).days);
    expect(found.hours.map(({ count }) => count)).toEqual([12, ...Array.from({ length: 33 }, () => 1)]);
  });

  it('adds nothing for an older copy of a store', async () => {
    const path = fill('a', exchanges(0, 20), NOON + 5 * HOUR);
    copyFileSync(path, pathOf('copy'));
    fill('a', exchanges(20, 30), NOON + 15 * HOUR);
    expect(await merged([pathOf('copy'), path])).toMatchObject(whole(exchanges(0, 30)));
  });

  it('says where two stores share a past that cannot be told apart', async () => {
    const path = fill('a', exchanges(0, 20), NOON + 5 * HOUR);
    copyFileSync(path, pathOf('b'));
    fill('a', [], NOON + 10 * HOUR);
    fill('b', exchanges(-3, 0), NOON + 6 * HOUR);
    const { stores } = await merged([path, pathOf('b')]);
    expect(stores.map(({ problem }) => problem)).toEqual([
      null,
      expect.stringMatching(/shares 6 forgotten exchanges with another store and has 3 of its own/),
    ]);
  });

  describe('stores that keep ids for so long and no longer', () => {
    const DAY = 24 * HOUR;
    const daily = (from: number, to: number): Sample[] =>
      Array.from({ length: to - from }, (_, at) => sample(from + at, { ts: NOON + (from + at) * DAY }));
    /** Goes on with a store: what came before a day is forgotten, and the ids of what came before another. */
    const goOn = (name: string, samples: readonly Sample[], day: number, idsDay: number): string => {
      const path = fill(name, samples, NOON + day * DAY);
      using file = openStoreFile(path);
      file.samples.forgetIds(NOON + idsDay * DAY, 1_000);
      return path;
    };
    const count = ({ days }: Awaited<ReturnType<typeof merged>>): number =>
      days.reduce((sum, one) => sum + one.count, 0);
    const copyOf = (path: string): string => {
      copyFileSync(path, pathOf('copy'));
      return pathOf('copy');
    };

    it.each([
      ['had forgotten what the store no longer knows', 3, /too old to be told apart/],
      ['still holds it', 0, /^left out: 3 exchanges from so long ago that another store no longer knows/],
    ])('count nothing twice beside a backup that %s', async (_, day, problem) => {
      const backup = copyOf(goOn('a', daily(0, 3), day, 0));
      const path = goOn('a', daily(3, 8), 7, 6);
      for (const paths of [
        [path, backup],
        [backup, path],
      ]) {
        const found = await merged(paths);
        expect(count(found)).toBe(8);
        const problems = Object.fromEntries(found.stores.map((store) => [store.path, store.problem]));
        expect(problems).toEqual({ [path]: null, [backup]: expect.stringMatching(problem) });
        rmSync(pathOf('scratch'));
      }
    });

    it('add nothing for a copy of last week, though it knows more ids by now', async () => {
      const copy = copyOf(goOn('a', daily(0, 6), 6, 0));
      const path = goOn('a', daily(6, 9), 8, 4);
      for (const paths of [
        [path, copy],
        [copy, path],
      ]) {
        const found = await merged(paths);
        expect(count(found)).toBe(9);
        expect(found.stores.map(({ problem }) => problem)).toEqual([null, null]);
        rmSync(pathOf('scratch'));
      }
    });

    it('are told apart where they share nothing of what they know', async () => {
      const other = daily(0, 9).map((one, at) => ({ ...one, rid: sample(100 + at).rid }));
      const found = await merged([goOn('a', daily(0, 9), 8, 4), goOn('b', other, 7, 4)]);
      expect([count(found), found.stores.map(({ problem }) => problem)]).toEqual([18, [null, null]]);
    });

    it('keep what they hold of a time of which they know no ids, also where a log has it', async () => {
      const path = goOn('a', daily(0, 5), 4, 4);
      fill('a', daily(-2, 0));
      expect(count(await merged([path], daily(-2, 0)))).toBe(7);
    });
  });

  it('goes on without a store that cannot be read', async () => {
    const { stores, hours } = await merged([fill('a', exchanges(0, 2)), pathOf('nowhere')]);
    expect(hours).toHaveLength(2);
    expect(stores[1]?.problem).toMatch(/unable to open|directory/);
  });

  it('pauses by the way, has told of all that it read, and ends where a pause rejects', async () => {
    const path = fill('a', exchanges(0, 2_500), NOON + 500 * HOUR);
    const parts: number[] = [];
    const pause = async (_: string, part: number): Promise<void> => void parts.push(part);
    const { merge } = await mergeStores(pathOf('scratch'), [path], pause);
    merge[Symbol.dispose]();
    expect(parts.reduce((sum, part) => sum + part, 0)).toBe(1);
    for (const at of parts.keys()) {
      let left = at;
      const rejects = async (): Promise<void> => {
        if (left === 0) throw new Error('enough');
        left -= 1;
      };
      await expect(mergeStores(pathOf(`scratch-${at}`), [path], rejects)).rejects.toThrow('enough');
    }
  });
});
