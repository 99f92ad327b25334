import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askRebuilt, lookAtRemains } from './crash.ts';
import { storeFile } from './store-file.ts';

const KILLED_AT = Date.parse('2026-01-02T03:04:10.000Z');
const BUDGET = { lane: 'zai', model: 'haiku', requests: 9 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'crash-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A log of three exchanges, and a store with these of them, one more of sonnet, and hours that count so many of that. */
async function leaveBehind(rids: readonly string[], sonnets = 1): Promise<void> {
  const lines = ['a', 'b', 'c'].map((rid, second) =>
    JSON.stringify({
      event: 'completion',
      rid,
      ts: `2026-01-02T03:04:0${second}.000Z`,
      client_request_id: `id-${rid}`,
    }),
  );
  await writeFile(path.join(folder, 'usage.jsonl'), `${lines.join('\n')}\n`);
  const database = new Database(storeFile(folder));
  database.exec('CREATE TABLE samples (rid TEXT, ts INTEGER, lane TEXT, model TEXT)');
  const insert = database.prepare('INSERT INTO samples VALUES (?, ?, ?, ?)');
  for (const rid of rids) insert.run(rid, KILLED_AT - 9_000, 'zai', 'claude-haiku-4-5');
  insert.run('s', KILLED_AT - 9_000, 'anthropic', 'claude-sonnet-5');
  database.exec(
    'CREATE TABLE rollups (granularity TEXT, start INTEGER, lane TEXT, model TEXT, count INTEGER)',
  );
  const roll = database.prepare("INSERT INTO rollups VALUES ('hour', ?, ?, ?, ?)");
  const hour = Date.parse('2026-01-02T03:00:00.000Z');
  roll.run(hour, 'zai', 'claude-haiku-4-5', 1);
  roll.run(hour, 'anthropic', 'claude-sonnet-5', sonnets);
  database.close();
}

const LOAD = { answered: 2, least: 1, bad: [] };
const observed = { acknowledged: () => ['id-a', 'id-x'], load: () => LOAD, slopes: null };

describe('what a kill left behind', () => {
  it('is what the log has and the store lacks, what is in it twice, and what a client knows of alone', async () => {
    await leaveBehind(['a', 'c', 'c'], 2);
    const remains = await lookAtRemains(folder, KILLED_AT, observed);
    // Whether it is installed is not for this test to say.
    expect([{ said: 'ok' }, { missing: expect.any(String) }]).toContainEqual(remains.shell);
    expect(remains).toMatchObject({
      killedAt: KILLED_AT,
      load: LOAD,
      logged: 3,
      acknowledged: 2,
      unlogged: ['id-x'],
      rows: 4,
      integrity: 'ok',
      missing: [{ rid: 'b', ts: Date.parse('2026-01-02T03:04:01.000Z') }],
      doubled: ['c', '2026-01-02T03:00:00.000Z anthropic claude-sonnet-5: 2 in the rollup, 1 rows'],
    });
  });
});

it('a process that hung counts as killed when it put its last on record, if it ever did', async () => {
  await leaveBehind(['a']);
  const hung = { ...observed, hung: true };
  expect((await lookAtRemains(folder, KILLED_AT, hung)).killedAt).toBe(
    Date.parse('2026-01-02T03:04:02.000Z'),
  );
  await writeFile(path.join(folder, 'usage.jsonl'), '');
  expect((await lookAtRemains(folder, KILLED_AT, hung)).killedAt).toBe(KILLED_AT);
});

describe('a successor', () => {
  it('is asked what it knows of the budget once it says that it knows all', async () => {
    await leaveBehind(['a', 'b']);
    const remains = await lookAtRemains(folder, KILLED_AT, observed);
    const answers = [0, 1, 2].map((used) => ({
      rebuilding: used < 2,
      quotas: [{ lane: 'zai', model: '*haiku*', rolling: { requests: { used } } }],
    }));
    const get = async () => ({ status: 200, headers: {}, body: JSON.stringify(answers.shift()) });
    const crash = await askRebuilt(remains, { get }, BUDGET);
    expect(crash.rebuilt).toEqual({ said: 2, counted: 2 });
    expect(crash).not.toHaveProperty('kept');
    expect(answers).toEqual([]);
  });

  it('has said nothing where it does not answer, and is not asked where there is no budget', async () => {
    await leaveBehind(['a']);
    const remains = await lookAtRemains(folder, KILLED_AT, observed);
    const get = async () => ({ status: 404, headers: {}, body: '' });
    expect((await askRebuilt(remains, { get }, BUDGET)).rebuilt).toEqual({ said: null, counted: 1 });
    expect((await askRebuilt(remains, { get }, undefined)).rebuilt).toBeNull();
  });
});
