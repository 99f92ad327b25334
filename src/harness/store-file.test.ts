import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { countRows, integrityOf, printableIn, readHours, readStore, storeFile } from './store-file.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'store-file-'));
  file = storeFile(folder);
});
afterEach(() => rm(folder, { recursive: true }));

/** A store as the contract has it, open in write-ahead mode, as that of a running proxy is. */
function openStore(): Database.Database {
  const database = new Database(file);
  database.pragma('journal_mode = WAL');
  database.exec(`CREATE TABLE samples (seq INTEGER PRIMARY KEY, rid TEXT, ts INTEGER, model TEXT, h2 INTEGER,
    tokens_input INTEGER, tokens_output INTEGER, tokens_cache_read INTEGER, tokens_cache_write_5m INTEGER,
    tokens_cache_write_1h INTEGER)`);
  const insert = database.prepare('INSERT INTO samples VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  insert.run('a', 1_767_323_045_000, 'claude-haiku-4-5', 1, 1, 2, 3, 4, 5);
  insert.run('b', 1_767_323_046_000, null, null, null, null, null, null, null);
  insert.run('c', 1_767_323_047_000, null, 0, 0, 0, 0, null, 0);
  database.exec(
    'CREATE TABLE rollups (granularity TEXT, start INTEGER, lane TEXT, model TEXT, served_model TEXT, count INTEGER)',
  );
  const roll = database.prepare('INSERT INTO rollups VALUES (?, 1767322800000, ?, ?, ?, ?)');
  roll.run('hour', 'zai', 'claude-haiku-4-5', 'glm-4.7', 1);
  roll.run('hour', 'zai', 'claude-haiku-4-5', 'glm-4.5-air', 2);
  roll.run('hour', 'anthropic', null, null, 4);
  roll.run('day', 'anthropic', null, null, 4);
  return database;
}

describe('the store of a target', () => {
  it('is read while the target has it open: tokens as one value, h2 as what it means', async () => {
    using _ = disposable(openStore());
    const tokens = { input: 1, output: 2, cache_read: 3, cache_write_5m: 4, cache_write_1h: 5 };
    expect(await readStore(file)).toEqual({
      kind: 'read',
      rows: [
        { rid: 'a', ts: 1_767_323_045_000, model: 'claude-haiku-4-5', h2: true, tokens },
        { rid: 'b', ts: 1_767_323_046_000, model: null, h2: null, tokens: null },
        // A row that is only half there stays as it is: a check will find it.
        {
          rid: 'c',
          ts: 1_767_323_047_000,
          model: null,
          h2: false,
          tokens: { input: 0, output: 0, cache_read: 0, cache_write_5m: null, cache_write_1h: 0 },
        },
      ],
    });
    expect(await countRows(file)).toBe(3);
    expect(await integrityOf(file)).toBe('ok');
    // Whoever served.
    expect(await readHours(file)).toEqual([
      { start: 1_767_322_800_000, lane: 'anthropic', model: null, count: 4 },
      { start: 1_767_322_800_000, lane: 'zai', model: 'claude-haiku-4-5', count: 3 },
    ]);
  });

  it('is unreadable where there is none, and no file is made', async () => {
    expect(await readStore(file)).toEqual({ kind: 'unreadable', problem: 'there is no file' });
    expect([await countRows(file), await integrityOf(file), await readHours(file)]).toEqual([0, null, []]);
    await expect(readFile(file)).rejects.toThrow('ENOENT');
  });

  it('is unreadable where its file is something else', async () => {
    await writeFile(file, 'no database at all, but long enough to be looked at'.repeat(40));
    expect(await readStore(file)).toEqual({ kind: 'unreadable', problem: 'file is not a database' });
  });

  it('is found out where a page of it is damaged', async () => {
    openStore().close();
    const bytes = await readFile(file);
    await writeFile(file, bytes.fill(0xff, bytes.length - 4096, bytes.length - 4080));
    expect(await integrityOf(file)).not.toBe('ok');
  });

  it('gives a search the text that is in it, and only that', async () => {
    openStore().close();
    const text = printableIn(await readFile(file));
    expect(text).toContain('claude-haiku-4-5');
    expect(text).not.toMatch(/[^\x20-\x7e\n]/);
  });
});

const disposable = (database: Database.Database): Disposable => ({
  [Symbol.dispose]: () => database.close(),
});
