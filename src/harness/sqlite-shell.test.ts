import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askSqliteShell } from './sqlite-shell.ts';
import { storeFile } from './store-file.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sqlite-shell-'));
  file = storeFile(folder);
});
afterEach(() => rm(folder, { recursive: true }));

it('is not asked where there is none, and that is no damage', async () => {
  const answer = await askSqliteShell(file, path.join(folder, 'sqlite3'));
  expect(answer).toEqual({ missing: expect.stringContaining('apt-get install sqlite3') });
});

const isThere = spawnSync('sqlite3', ['--version']).status === 0;

// CI has it (Debian's package sqlite3) and sets SQLITE_TESTS; elsewhere it may be missing.
describe.skipIf(!isThere && process.env['SQLITE_TESTS'] !== 'required')('the sqlite3 command line', () => {
  function writeStore(): void {
    const database = new Database(file);
    database.exec('CREATE TABLE samples (rid TEXT UNIQUE)');
    const insert = database.prepare('INSERT INTO samples VALUES (?)');
    database.transaction(() => {
      for (let row = 0; row < 500; row += 1) insert.run(`exchange ${row}`);
    })();
    database.close();
  }

  it('calls a sound file so', async () => {
    writeStore();
    expect(await askSqliteShell(file)).toEqual({ said: 'ok' });
    expect(await readdir(folder)).toEqual([path.basename(file)]);
  });

  it('waits for somebody else who has the file to himself', async () => {
    writeStore();
    const other = new Database(file);
    other.exec('BEGIN EXCLUSIVE');
    const asked = askSqliteShell(file);
    await sleep(300);
    other.close();
    expect(await asked).toEqual({ said: 'ok' });
  });

  it('finds a damaged page', async () => {
    writeStore();
    const bytes = await readFile(file);
    await writeFile(file, bytes.fill(0xff, bytes.length - 4096, bytes.length - 4000));
    expect(await askSqliteShell(file)).not.toEqual({ said: 'ok' });
  });

  it('says why it cannot open what is no store, and makes none where there is no file', async () => {
    await writeFile(file, 'no database at all, but long enough to be looked at'.repeat(40));
    expect(await askSqliteShell(file)).toEqual({ said: expect.stringContaining('not a database') });
    await rm(file);
    expect(await askSqliteShell(file)).toEqual({ said: expect.stringContaining('unable to open') });
    expect(existsSync(file)).toBe(false);
  });
});
