import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openStoreToWrite, rowOf, type StoreFile, sampleOf } from '../../../config/store-files.ts';
import { breakIndex } from '../../../config/testing/broken-index.ts';
import { createTestHost, type TestHost } from '../../shared/testing/test-host.ts';
import { main } from '../main.ts';

let host: TestHost;
beforeEach(() => {
  host = createTestHost();
});
afterEach(() => host[Symbol.dispose]());

const CCP = fileURLToPath(new URL('../../../../bin/ccp.js', import.meta.url));
const storePath = (): string => join(host.cwd, 'logs/ccp.sqlite3');
const inStore = <T>(act: (store: StoreFile) => T): T => {
  using store = openStoreToWrite(storePath(), () => {});
  return act(store);
};

type Completion = Parameters<typeof sampleOf>[0];
/** A completion that ended so many minutes ago. */
const completion = (id: number, minutes = id): Completion => ({
  v: 1,
  ts: new Date(Date.now() - minutes * 60_000).toISOString(),
  rid: id.toString(16).padStart(16, '0'),
  event: 'completion',
  lane: id % 2 ? 'zai' : 'anthropic',
  provider: 'zai',
  upstream: 'https://api.z.ai',
  method: 'POST',
  path: '/v1/messages',
  model: `model "${id % 2}", large`,
  op: 'stream',
  decision: 'to_zai',
  reason: 'ok',
  status: 200,
  latency_ms: 12.5,
  attempts: [],
  tokens: { input: 1, output: 2, cache_read: 3, cache_write_5m: 4, cache_write_1h: 5 },
  bytes_in: 1,
  bytes_out: 2,
});
const announcement = (id: number) => {
  const { v, ts, rid, lane, provider, model, op, decision } = completion(id);
  return { v, ts, rid, event: 'decision', lane, provider, model, op, decision, alternatives: [] };
};
const log = (name: string, records: readonly (object | string)[]): string =>
  host.write(name, records.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n'));
const fill = (ids: readonly number[], minutes?: number): void =>
  inStore((store) => {
    const samples = ids.map((id) => rowOf(sampleOf(completion(id, minutes))));
    store.write({ samples, cooldowns: [], hits: [] });
  });

async function run(...argv: string[]) {
  const code = await main(['db', ...argv], host);
  return { code, ...host.said() };
}
async function json(...argv: string[]) {
  const { code, out } = await run(...argv, '--json');
  return { code, report: JSON.parse(out) };
}

describe('ccp db import', () => {
  it('puts in what logs tell, passes announcements over, and names lines that it does not understand', async () => {
    const path = log('logs/usage.jsonl', [
      announcement(1),
      completion(1),
      { ...completion(2), status: 'fine' },
      completion(3),
      '{"v":1,"torn',
    ]);
    const { code, out, err } = await run('import', '--jsonl', 'logs/usage.jsonl');
    expect([code, out]).toEqual([
      0,
      `2 exchanges put into ${storePath()}, 0 known before, 2 lines not understood; 5 lines read.` +
        ' A new store was begun there.\n',
    ]);
    expect(err).toContain(`${path}:3: status: not an integer`);
    expect(err).toContain(`${path}:5: not valid JSON`);
    expect(inStore((store) => store.rollups.read({ granularity: 'day' }).length)).toBeGreaterThan(0);
  });

  it('names the store, and says where it began one: its path may be mistyped', async () => {
    log('logs/usage.jsonl', [completion(1)]);
    host.env['CCP_DB_PATH'] = 'missing/folder/typo.sqlite3';
    const store = join(host.cwd, 'missing/folder/typo.sqlite3');
    const into = async () => (await run('import', '--jsonl', 'logs/usage.jsonl')).out;
    expect(await into()).toContain(`put into ${store}, 0 known before; 1 line read. A new store was begun`);
    expect(await into()).toMatch(/ 1 line read\.\n$/);
    expect((await json('import', '--jsonl', 'logs/usage.jsonl')).report).toMatchObject({
      store,
      store_is_new: false,
    });
    rmSync(store);
    expect((await json('import', '--jsonl', 'logs/usage.jsonl')).report.store_is_new).toBe(true);
  });

  it('puts in nothing the second time, and the rotated copies where they are wanted', async () => {
    log('logs/usage.jsonl.1', [completion(1), completion(2)]);
    log('logs/usage.jsonl', [completion(2), completion(3)]);
    expect(await json('import', '--jsonl', 'logs/usage.jsonl')).toMatchObject({
      code: 0,
      report: { added: 2 },
    });
    const again = await json('import', '--jsonl', 'logs/usage.jsonl', '--rotated');
    expect(again.report).toMatchObject({ lines: 4, added: 1, known: 3, bad: { count: 0 } });
    expect(inStore((store) => store.status().samples)).toBe(3);
  });

  it('has added up what it put in, wherever it is stopped', async () => {
    log(
      'logs/usage.jsonl',
      Array.from({ length: 6_500 }, (_, id) => completion(id, 1)),
    );
    // Can be opened, and not read.
    await expect(run('import', '--jsonl', 'logs/usage.jsonl', '/proc/self/mem')).rejects.toThrow();
    const { report } = await json('status');
    expect(report.samples).toBeGreaterThan(5_000);
    expect(report.not_rolled_up).toBeLessThan(5_000);
  });

  it('makes a store of a damaged one anew, and keeps the damaged file', async () => {
    host.write('logs/ccp.sqlite3', 'no database'.repeat(500));
    log('logs/usage.jsonl', [completion(1)]);
    const { code, err } = await run('import', '--jsonl', 'logs/usage.jsonl');
    expect([code, err]).toEqual([
      0,
      expect.stringMatching(/damaged and set aside as .*ccp\.sqlite3\.damaged-/),
    ]);
    expect(readdirSync(join(host.cwd, 'logs')).join()).toContain('damaged-');
  });

  it('waits for a process that holds the store for longer than a proxy would', async () => {
    fill([1]);
    log('logs/usage.jsonl', [completion(2)]);
    const hold = `const db = new (require('better-sqlite3'))(process.argv[1]);
      db.pragma('locking_mode = EXCLUSIVE'); db.exec('BEGIN IMMEDIATE'); console.log('held');
      setTimeout(() => db.close(), 3500);`;
    const holder = spawn(process.execPath, ['-e', hold, storePath()], { cwd: import.meta.dirname });
    await once(holder.stdout, 'data');
    expect(await json('import', '--jsonl', 'logs/usage.jsonl')).toMatchObject({
      code: 0,
      report: { added: 1 },
    });
  });

  it('says once that a file is no log, and reads no further, after putting in what others tell', async () => {
    const other = host.write('big.txt', 'no JSON\n'.repeat(1_000_000));
    log('else.jsonl', ['{"event":"something else"}', '{}']);
    log('logs/usage.jsonl', [completion(1)]);
    for (const [name, where] of [
      ['big.txt', 'its first 256 KiB (line 1: not valid JSON'],
      ['else.jsonl', 'it (line 1: event: '],
    ] as const) {
      const { code, out, err } = await run('import', '--jsonl', name, 'logs/usage.jsonl');
      expect([code, err]).toEqual([
        2,
        expect.stringContaining(`${name} is no usage log: no record in ${where}`),
      ]);
      expect(err.match(/is no usage log|:\d+: /g)).toHaveLength(1);
      expect(out).toContain(' 1 line read.');
    }
    expect(inStore((store) => store.status().samples)).toBe(1);
    expect(await run('import', '--jsonl', other)).toMatchObject({ code: 2, out: '' });
  });

  it('leaves nothing behind of a file that is no log where there was no store', async () => {
    for (const [name, text] of [
      ['big.txt', 'no JSON\n'.repeat(100_000)],
      ['usage.jsonl', '{}'],
    ] as const) {
      host.write(name, text);
      expect(await run('import', '--jsonl', name)).toMatchObject({ code: 2, out: '' });
    }
    expect(readdirSync(host.cwd)).toEqual(expect.not.arrayContaining(['logs']));
    log('usage.jsonl', [completion(1)]);
    expect(await json('import', '--jsonl', 'big.txt', 'usage.jsonl')).toMatchObject({ code: 2 });
    expect(inStore((store) => store.status().samples)).toBe(1);
  });

  it('begins no store for logs without an exchange', async () => {
    log('empty.jsonl', []);
    log('announced.jsonl', [announcement(1)]);
    const { code, out } = await run('import', '--jsonl', 'empty.jsonl');
    expect([code, out]).toEqual([0, `0 exchanges put into ${storePath()}, 0 known before; 0 lines read.\n`]);
    const { report } = await json('import', '--jsonl', 'announced.jsonl');
    expect(report).toMatchObject({ store_is_new: false, lines: 1, added: 0, known: 0, too_old: 0 });
    expect(readdirSync(host.cwd)).toEqual(expect.not.arrayContaining(['logs']));
  });

  it('reads a log to its end whose beginning was lost', async () => {
    log('logs/usage-old.jsonl', ['\0'.repeat(2_000_000), completion(1)]);
    expect(await run('import', '--jsonl', 'logs/usage-old.jsonl')).toMatchObject({
      code: 0,
      out: expect.stringContaining(', 0 known before, 1 line not understood; 2 lines read.'),
    });
    expect((await json('merge', '--dir', 'logs')).report.logs).toMatchObject({ bad: { count: 1 } });
  });

  it('exits 1 where it understood nothing of what there was', async () => {
    log('else.jsonl', [{ ...completion(2), status: 'fine' }, 'no JSON']);
    expect(await run('import', '--jsonl', 'else.jsonl')).toMatchObject({
      code: 1,
      err: expect.stringContaining('else.jsonl:2: not valid JSON'),
    });
    log('empty.jsonl', []);
    expect((await run('import', '--jsonl', 'empty.jsonl')).code).toBe(0);
    log('announced.jsonl', [announcement(1)]);
    expect((await run('import', '--jsonl', 'announced.jsonl')).code).toBe(0);
  });

  it('leaves out what is so old that the store no longer knows whether it counts it, and says so', async () => {
    const YEAR = 365 * 24 * 60;
    fill([1, 2], 2 * YEAR);
    fill([5]);
    expect((await json('prune', '--yes')).report).toMatchObject({ deleted: 2 });
    log('old.jsonl', [completion(1, 2 * YEAR), completion(3, 2 * YEAR), completion(4, 1)]);
    const { code, report } = await json('import', '--jsonl', 'old.jsonl');
    expect([code, report]).toMatchObject([0, { added: 1, known: 0, too_old: 2 }]);
    const { err } = await run('import', '--jsonl', 'old.jsonl');
    expect(err).toContain('left out: 2 exchanges from so long ago that');
    const days = inStore((store) => store.rollups.read({ granularity: 'day' }));
    expect(days.reduce((sum, { count }) => sum + count, 0)).toBe(4);
  });

  it('knows what it holds, however old', async () => {
    const YEAR = 365 * 24 * 60;
    fill([1], 2 * YEAR);
    fill([3]);
    const yearAgo = Date.now() - YEAR * 60_000;
    inStore(({ db, rollups }) => {
      rollups.advance(9);
      db.prepare('UPDATE rolled_up SET ids_from = ?').run(yearAgo);
    });
    expect((await run('export', '--jsonl', '--out', 'all.jsonl')).code).toBe(0);
    const { report } = await json('import', '--jsonl', 'all.jsonl');
    expect(report).toMatchObject({ added: 0, known: 2, too_old: 0 });
  });

  it('leaves out the logs of runs of ccp-uat, whose traffic is made up, and names them, unless --runs is added', async () => {
    log('logs/usage.jsonl', [completion(1)]);
    const smoke = log('logs/usage_smoke.jsonl', [completion(2)]);
    log('results/runs/one/events.jsonl', ['{}']);
    const inRun = log('results/runs/one/usage.jsonl', [completion(3)]);
    const names = ['logs/usage.jsonl', 'logs/usage_smoke.jsonl', 'results/runs/one/usage.jsonl'];
    const { code, out, err } = await run('import', '--jsonl', ...names);
    expect([code, out]).toEqual([0, expect.stringContaining('1 exchange put into')]);
    for (const path of [smoke, inRun]) expect(err).toContain(`a run of ccp-uat: ${path}; --runs `);
    expect((await json('import', '--jsonl', ...names)).report.left_out).toEqual([smoke, inRun]);
    expect(await run('import', '--jsonl', 'logs/usage_smoke.jsonl')).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/nothing was put in: .+smoke.jsonl is the log of a run [^]+Add --runs/),
    });
    const all = (await json('import', '--runs', '--jsonl', ...names)).report;
    expect(all).toMatchObject({ added: 2, known: 1, left_out: [] });
  });

  it('says which file cannot be read, and why', async () => {
    host.write('folder/some', '');
    for (const [name, why] of [
      ['nowhere.jsonl', 'no such file or directory'],
      ['folder', 'it is a folder'],
    ] as const) {
      const { code, err } = await run('import', '--jsonl', name);
      expect([code, err]).toEqual([3, expect.stringContaining(`${name} cannot be read: ${why}\n`)]);
    }
  });
});

describe('ccp db export', () => {
  it('--jsonl gives what import takes back as it was', async () => {
    fill([1, 2, 3]);
    const before = inStore((store) => store.samples.page({ limit: 9 }));
    expect((await run('export', '--jsonl', '--out', 'all.jsonl')).code).toBe(0);
    rmSync(storePath());
    expect((await json('import', '--jsonl', 'all.jsonl')).report).toMatchObject({
      added: 3,
      bad: { count: 0 },
    });
    expect(inStore((store) => store.samples.page({ limit: 9 }).samples)).toEqual(before.samples);
  });

  it('--csv gives a table by RFC 4180 of what the filters let through', async () => {
    fill([1, 2, 3, 60]);
    const { code, out } = await run('export', '--csv', '--since', '-30m', '--lane', 'zai');
    const [heading, ...lines] = out.trimEnd().split('\n');
    expect([code, heading?.split(',', 3)]).toEqual([0, ['rid', 'ts', 'lane']]);
    expect(lines.map((line) => line.slice(0, 16))).toEqual(['0000000000000003', '0000000000000001']);
    expect(lines[0]).toContain(
      ',zai,zai,"model ""1"", large",,stream,to_zai,ok,200,,12.5,,,1,2,3,4,5,1,2,0,,',
    );
  });

  it('--csv leaves no formula or control character that a client chose, --jsonl every name as it is', async () => {
    const models = [
      '=HYPERLINK("http://x")',
      '+1',
      '-1',
      '@SUM(A1)',
      '\t=1',
      '＝1',
      'a=1',
      '\u001b[2Ja\r\nb\u202e\u009b',
    ];
    inStore((store) => {
      const samples = models.map((model, id) => rowOf(sampleOf({ ...completion(id, 1), model })));
      store.write({ samples, cooldowns: [], hits: [] });
    });
    const { out } = await run('export', '--csv');
    const shown = out.trimEnd().split('\n').slice(1);
    const fields = [`"'=HYPERLINK(""http://x"")"`, "'+1", "'-1", "'@SUM(A1)", '\ufffd=1', "'＝1", 'a=1'];
    fields.push('\ufffd[2Ja\ufffd\ufffdb\ufffd\ufffd');
    for (const [at, field] of fields.entries()) expect(shown[at]).toContain(`,zai,${field},`);
    const lines = (await run('export', '--jsonl')).out.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).model)).toEqual(models);
  });

  it('writes where a link or a pipe leads, and leaves them in place', async () => {
    fill([1, 2]);
    const path = (name: string): string => join(host.cwd, name);
    host.write('target.jsonl', 'old');
    symlinkSync('target.jsonl', path('link.jsonl'));
    expect((await run('export', '--jsonl', '--out', 'link.jsonl', '--force')).code).toBe(0);
    expect(lstatSync(path('link.jsonl')).isSymbolicLink()).toBe(true);
    expect(readFileSync(path('target.jsonl'), 'utf8').split('\n')).toHaveLength(3);

    execFileSync('mkfifo', [path('pipe')]);
    const reader = spawn('cat', [path('pipe')]);
    const read = reader.stdout.toArray();
    const { code } = await run('export', '--jsonl', '--out', 'pipe');
    const text = Buffer.concat(await read).toString();
    expect([code, text.split('\n').length, lstatSync(path('pipe')).isFIFO()]).toEqual([0, 3, true]);
  });

  it('overwrites no file that it was not told to', async () => {
    fill([1, 2]);
    host.write('target.jsonl', 'old');
    symlinkSync('target.jsonl', join(host.cwd, 'link.jsonl'));
    for (const name of ['target.jsonl', 'link.jsonl']) {
      expect(await run('export', '--jsonl', '--out', name)).toMatchObject({
        code: 2,
        err: expect.stringMatching(/\.jsonl is there already\n.*--force/),
      });
    }
    expect(readFileSync(join(host.cwd, 'target.jsonl'), 'utf8')).toBe('old');
    expect((await run('export', '--jsonl', '--out', 'target.jsonl', '--force')).code).toBe(0);
    expect(readFileSync(join(host.cwd, 'target.jsonl'), 'utf8').split('\n')).toHaveLength(3);
  });

  it('leaves what was there, and no draft, where it fails half-way', async () => {
    fill([1, 2]);
    inStore((store) => store.db.exec("UPDATE samples SET ts = 9e15 WHERE rid LIKE '%2'"));
    host.write('all.jsonl', 'old');
    await expect(run('export', '--jsonl', '--out', 'all.jsonl', '--force')).rejects.toThrow('Invalid time');
    expect(readFileSync(join(host.cwd, 'all.jsonl'), 'utf8')).toBe('old');
    expect(readdirSync(host.cwd).toSorted()).toEqual(['all.jsonl', 'logs']);
  });

  it('has said on the screen what came before the place where it fails', async () => {
    fill([1, 2]);
    inStore((store) => store.db.exec("UPDATE samples SET ts = 9e15 WHERE rid LIKE '%2'"));
    await expect(run('export', '--jsonl')).rejects.toThrow('Invalid time');
    expect(JSON.parse(host.said().out)).toMatchObject({ rid: '0000000000000001' });
  });

  it('warns of a time from which on nothing can have ended yet', async () => {
    fill([1]);
    const tomorrow = Math.round(Date.now() / 1000) + 86_400;
    expect(await run('export', '--jsonl', '--since', String(tomorrow))).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringMatching(/--since \d+ lies in the future \(2.+Z\): nothing has ended since then/),
    });
    expect((await run('export', '--jsonl', '--since', '-1h')).err).toBe('');
  });

  it('gives import what a damaged file still tells', async () => {
    fill(Array.from({ length: 5_000 }, (_, id) => id + 1));
    const damaged = join(host.cwd, 'logs/ccp.sqlite3.damaged-1');
    const bytes = readFileSync(storePath());
    rmSync(storePath());
    writeFileSync(damaged, bytes.fill(0xff, bytes.length / 2, bytes.length / 2 + 8192));
    host.env['CCP_DB_PATH'] = damaged;
    const { code, out, err } = await run('export', '--jsonl');
    expect([code, err]).toEqual([1, expect.stringContaining('is damaged')]);
    delete host.env['CCP_DB_PATH'];
    host.write('saved.jsonl', out);
    const { report } = await json('import', '--jsonl', 'saved.jsonl');
    expect(report.added).toBe(out.split('\n').length - 1);
    expect(report.added).toBeGreaterThan(0);
  });

  it('refuses what it cannot take', async () => {
    fill([1]);
    expect(await run('export')).toMatchObject({ code: 2, err: expect.stringContaining('--csv or --jsonl') });
    expect(await run('export', '--csv', '--since', 'yesterday')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--since must be epoch seconds'),
    });
    expect((await run('export', '--csv', '--out', 'no/such/folder.csv')).code).toBe(3);
    expect(await run('export', '--csv', '--lane', 'zia', '--out', 'zia.csv')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/--lane zia: there is no such lane.+\n.*There are anthropic, zai\./),
    });
    expect(readdirSync(host.cwd)).toEqual(['logs']);
  });

  it('gives of a lane that there is nothing but the heading where nothing was sent there', async () => {
    fill([1]);
    expect((await run('export', '--csv', '--lane', 'anthropic')).out.split('\n')).toHaveLength(2);
    // Nor of one that there was.
    inStore(({ db, rollups, samples }) => {
      db.exec("UPDATE samples SET lane = 'before'");
      rollups.advance(9);
      samples.forget(Date.now(), 9);
    });
    expect((await run('export', '--csv', '--lane', 'before')).out.split('\n')).toHaveLength(2);
  });
});

describe('ccp db status', () => {
  it('says what there is', async () => {
    fill([1, 2]);
    const { report } = await json('status', '--check');
    expect(report).toMatchObject({
      path: storePath(),
      schema_version: 4,
      samples: 2,
      not_rolled_up: 2,
      integrity: 'ok',
    });
    const { code, out } = await run('status');
    expect([code, out]).toEqual([0, expect.stringMatching(/exchanges {2}2, from \S+Z to\s+\S+Z/)]);
  });

  it('exits 3 where there is none, and 1 where it is damaged, leaving it alone', async () => {
    expect(await run('status')).toMatchObject({
      code: 3,
      err: expect.stringContaining('there is no store at'),
    });
    host.write('logs/ccp.sqlite3', 'no database'.repeat(500));
    expect(await run('status')).toMatchObject({ code: 1, err: expect.stringContaining('is damaged') });
    expect(readdirSync(join(host.cwd, 'logs'))).toEqual(['ccp.sqlite3']);
  });

  it('says that the store is switched off, with what is in it or without', async () => {
    host.env['CCP_PERSIST'] = '0';
    const err = expect.stringMatching(/^ccp: warning: the store is switched off \(CCP_PERSIST=0\)/);
    expect(await run('status')).toMatchObject({ code: 3, err });
    fill([1]);
    expect(await json('status')).toMatchObject({ code: 0, report: { samples: 1 } });
    expect(await run('status')).toMatchObject({ code: 0, err });
  });

  it('says of an empty file that no store was begun in it yet; one that is begun there is its owner’s alone', async () => {
    chmodSync(host.write('logs/ccp.sqlite3', ''), 0o644);
    expect(await run('status')).toMatchObject({
      code: 3,
      err: `ccp: error: ${storePath()} is empty: no store was begun in it yet\n"ccp serve" begins one in it.\n`,
    });
    expect(statSync(storePath()).mode & 0o777).toBe(0o644);
    fill([1]);
    expect(statSync(storePath()).mode & 0o777).toBe(0o600);
    expect((await run('status')).code).toBe(0);
  });

  it('does not advise to make a store where none can be made', async () => {
    const file = host.write('a-file', '');
    host.env['CCP_DB_PATH'] = 'a-file/x.sqlite3';
    const { err } = await run('status');
    expect(err).toContain(`None can be made: ${file} is no folder that can be written to; CCP_DB_PATH`);
  });
});

describe('a file that was never a store', () => {
  const commands = [
    ['import', '--jsonl', 'logs/usage.jsonl'],
    ['export', '--jsonl'],
    ['status'],
    ['prune', '--yes'],
  ];

  it.each(commands)('is left as it is by db %s', async (...argv) => {
    const notes = host.write('notes.txt', 'remember the milk\n'.repeat(1_000));
    log('logs/usage.jsonl', [completion(1)]);
    host.env['CCP_DB_PATH'] = 'notes.txt';
    expect(await run(...argv)).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(
        /notes\.txt is a file of another kind.+left as it is\nName another.+CCP_DB_PATH/,
      ),
    });
    expect(readFileSync(notes, 'utf8')).toMatch(/^(remember the milk\n){1000}$/);
    expect(readdirSync(host.cwd).toSorted()).toEqual(['logs', 'notes.txt']);
  });

  it.each(commands)('is told apart from a folder by db %s', async (...argv) => {
    log('logs/usage.jsonl', [completion(1)]);
    host.env['CCP_DB_PATH'] = 'logs';
    expect(await run(...argv)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/logs is a folder, and no file for the store\nName another.+CCP_DB_PATH/),
    });
  });
});

describe('a store with an index that lacks a row', () => {
  beforeEach(() => {
    fill([1, 2]);
    inStore(({ db }) => db.pragma('wal_checkpoint(TRUNCATE)'));
    breakIndex(storePath(), completion(1).rid);
  });

  it('is called damaged by status --check, and by prune, which leaves it', async () => {
    for (const argv of [
      ['status', '--check'],
      ['prune', '--yes'],
    ])
      expect(await run(...argv)).toMatchObject({ code: 1, err: expect.stringContaining('is damaged: ') });
    expect(readdirSync(join(host.cwd, 'logs'))).toEqual(['ccp.sqlite3']);
  });

  it('is set aside by import, which would put the row in twice', async () => {
    log('logs/usage.jsonl', [completion(1), completion(2)]);
    const { code, err } = await run('import', '--jsonl', 'logs/usage.jsonl');
    expect([code, err]).toEqual([0, expect.stringContaining('damaged and set aside as')]);
    expect(inStore((store) => store.status().samples)).toBe(2);
  });
});

describe('ccp db prune', () => {
  const OLD = 60 * 24 * 8;

  it('deletes what is old, keeps its hours, and gives the room back', async () => {
    fill(
      Array.from({ length: 20_000 }, (_, id) => id + 10),
      OLD,
    );
    fill([1, 2]);
    const before = statSync(storePath()).size;
    expect(await json('prune', '--yes')).toMatchObject({ code: 0, report: { deleted: 20_000, kept: 2 } });
    expect(statSync(storePath()).size).toBeLessThan(before / 2);
    const counted = inStore((store) => store.rollups.read({ granularity: 'day' }));
    expect(counted.reduce((sum, { count }) => sum + count, 0)).toBe(20_002);
    log('old.jsonl', [completion(10, OLD), completion(3)]);
    expect((await json('import', '--jsonl', 'old.jsonl')).report).toMatchObject({ added: 1, known: 1 });
  });

  it('warns where a weekly quota will lack what it deletes', async () => {
    fill([1], 60 * 24 * 5);
    expect((await run('prune', '--days', '7', '--yes')).err).toBe('');
    expect((await run('prune', '--days', '3', '--yes')).err).toMatch(/weekly quotas.+of the last 7 days/);
  });

  it('deletes nothing that nobody confirmed, and nothing that is young enough', async () => {
    fill([1], OLD);
    expect(await run('prune')).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
    expect(await json('prune', '--days', '30')).toMatchObject({ code: 0, report: { deleted: 0, kept: 1 } });
    expect((await run('prune', '--days', '0')).code).toBe(2);
  });

  it.skipIf(spawnSync('script', ['--version']).status !== 0).each([
    ['n\r', 0, 'Nothing deleted, 1 kept'],
    ['\r', 0, 'Nothing deleted, 1 kept'],
    ['y\r', 0, '1 exchange deleted, 0 kept'],
    ['\u0003', 130, 'ccp: error: nothing was deleted\r\n'],
    ['\u0004', 130, 'ccp: error: nothing was deleted\r\n'],
  ])('asks at a terminal, where %j ends it with exit code %i', async (typed, code, said) => {
    fill([1], OLD);
    const env = { HOME: host.home, PATH: process.env['PATH'], SHELL: '/bin/sh', NO_COLOR: '1' };
    const line = `'${process.execPath}' '${CCP}' db prune`;
    const terminal = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
      cwd: host.cwd,
      env,
    });
    let shown = '';
    terminal.stdout.setEncoding('utf8').on('data', (piece: string) => {
      const isAsked = shown.includes('[y/N]');
      shown += piece;
      if (!isAsked && shown.includes('[y/N]')) terminal.stdin.write(typed);
    });
    const [ended] = await once(terminal, 'exit');
    expect([ended, shown]).toEqual([code, expect.stringContaining(said)]);
  });
});

describe('hours and ids after 400 days', () => {
  const YEAR = 365 * 24 * 60;
  const left = () =>
    inStore(({ db, samples }) => ({
      hours: db.prepare("SELECT count(*) FROM rollups WHERE granularity = 'hour'").pluck().get(),
      ids: db.prepare('SELECT count(*) FROM forgotten').pluck().get(),
      idsFrom: samples.idsFrom(),
    }));
  afterEach(() => void vi.useRealTimers());

  it('are deleted by prune where somebody confirmed it, and no sooner', async () => {
    fill([1], 2 * YEAR);
    inStore(({ rollups, samples }) => [rollups.advance(9), samples.forget(Date.now(), 9)]);
    fill([2]);
    expect(await json('prune')).toMatchObject({ code: 0, report: { deleted: 0 } });
    expect(left()).toEqual({ hours: 2, ids: 1, idsFrom: 0 });
    expect((await run('prune', '--yes')).code).toBe(0);
    expect(left()).toMatchObject({ hours: 1, ids: 0, idsFrom: expect.toSatisfy((from: number) => from > 0) });
  });

  it('are not deleted by a clock that is two years ahead, at the second time either', async () => {
    fill([1, 2]);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * YEAR * 60_000 });
    expect((await json('prune', '--yes')).report).toMatchObject({ deleted: 2, kept: 0 });
    expect((await run('prune', '--yes')).code).toBe(0);
    vi.useRealTimers();
    const { hours, ids, idsFrom } = left();
    expect([hours, ids]).toEqual([2, 2]);
    expect(idsFrom).toBeLessThan(Date.now() - YEAR * 60_000);
  });
});

describe('ccp db merge', () => {
  it('joins stores and logs, each exchange once, in the shape of the endpoint', async () => {
    fill([1, 2]);
    log('logs/usage.jsonl', [completion(2), announcement(3), completion(3)]);
    log('logs/other/usage.jsonl.2', [completion(3), completion(4)]);
    log('logs/anomalies.jsonl', ['{}']);
    const { code, report } = await json('merge', '--dir', 'logs');
    expect([code, report.stores, report.logs]).toEqual([
      0,
      [{ path: storePath(), samples: 2, forgotten: 0, problem: null }],
      {
        files: ['logs/other/usage.jsonl.2', 'logs/usage.jsonl'].map((name) => join(host.cwd, name)),
        left_out: [],
        added: 2,
        too_old: 0,
        bad: { count: 0, examples: [] },
      },
    ]);
    for (const granularity of ['hour', 'day']) {
      const text = readFileSync(join(host.cwd, `results/rollups/rollup_${granularity}.json`), 'utf8');
      const { rollups, ...rest } = JSON.parse(text);
      expect(rest).toEqual({ granularity });
      expect(rollups.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(4);
      expect(rollups[0].start).toMatch(/^\d{4}-\d\d-\d\dT\d\d:00:00\.000Z$/);
    }
  });

  it('names what it counted, and leaves out the logs kept of runs unless they are wanted', async () => {
    fill([1]);
    const own = log('logs/usage.jsonl', [completion(2)]);
    const kept = log('logs/usage_go_repro_quick.jsonl', [completion(3), completion(4)]);
    expect((await run('merge', '--dir', 'logs')).out).toContain(
      `2 exchanges of 1 store and 1 log, each once:\n  ${storePath()}\n  ${own}\n` +
        `Left out, the logs kept of runs of ccp-uat; --runs counts them, too:\n  ${kept}\nWritten:\n`,
    );
    const { report } = await json('merge', '--dir', 'logs', '--runs');
    expect(report.logs).toMatchObject({ files: [own, kept], left_out: [], added: 3 });
    const ofRun = log('results/runs/one/usage.jsonl', [completion(5)]);
    const begun = log('results/runs/one/events.jsonl', [{ type: 'run_started' }]);
    expect((await json('merge', '--dir', '.')).report.logs).toMatchObject({
      files: [own],
      left_out: [kept, ofRun],
      added: 1,
    });
    for (const path of [ofRun, begun]) rmSync(path);
    rmSync(storePath());
    rmSync(own);
    expect(await run('merge', '--dir', 'logs')).toMatchObject({
      code: 3,
      err: expect.stringContaining('but those kept of runs of ccp-uat'),
    });
  });

  it('writes into the folder of results, and exits 1 where a line was not understood', async () => {
    log('logs/usage.jsonl', [completion(1), { ...completion(2), status: 'fine' }]);
    const code = await main(['db', 'merge', '--dir', 'logs'], {
      ...host,
      env: { CCP_RESULTS_DIR: 'elsewhere' },
    });
    const { out, err } = host.said();
    expect([code, out, err]).toEqual([
      1,
      expect.stringContaining(join(host.cwd, 'elsewhere/rollups/rollup_hour.json')),
      expect.stringMatching(/^ccp: warning: \S+usage\.jsonl:2: status: not an integer\n$/),
    ]);
  });

  it('finds stores of any name, and what links lead to, once', async () => {
    fill([1]);
    host.env['CCP_DB_PATH'] = 'meters/x/meter.db';
    log('one.jsonl', [completion(2)]);
    expect((await run('import', '--jsonl', 'one.jsonl')).code).toBe(0);
    delete host.env['CCP_DB_PATH'];
    const path = (name: string): string => join(host.cwd, name);
    symlinkSync(storePath(), path('meters/link'));
    symlinkSync('x/meter.db', path('meters/again.sqlite3'));
    // Around in a circle.
    symlinkSync('..', path('meters/x/up'));
    symlinkSync('nowhere', path('meters/dangling'));
    host.write('elsewhere/log.txt', JSON.stringify(completion(3)));
    symlinkSync(path('elsewhere/log.txt'), path('meters/usage.jsonl'));
    const { code, report } = await json('merge', '--dir', 'meters');
    expect([code, report.stores.map((store: { path: string }) => store.path)]).toEqual([
      0,
      [storePath(), path('meters/x/meter.db')],
    ]);
    expect(report.logs).toMatchObject({ files: [path('meters/usage.jsonl')], added: 1 });
    expect(report.written[1]).toMatchObject({ exchanges: 3 });
  });

  it('finds a young store whose mark is in its log alone, and opens no database of another program', async () => {
    const young = join(host.cwd, 'meters/young');
    using store = openStoreToWrite(young, null);
    store.write({ samples: [rowOf(sampleOf(completion(1)))], cooldowns: [], hits: [] });
    expect(readFileSync(young).readUInt32BE(68)).toBe(0);
    for (const [name, id] of [
      ['theirs', 7],
      ['theirs.db', 0],
      ['theirs.sqlite3', 0],
    ] as const) {
      using other = openStoreToWrite(join(host.cwd, 'meters', name), null);
      other.db.pragma(`application_id = ${id}`);
      other.db.pragma('wal_checkpoint(TRUNCATE)');
    }
    const { report } = await json('merge', '--dir', 'meters');
    expect(report.stores).toEqual([{ path: young, samples: 1, forgotten: 0, problem: null }]);
  });

  it('leaves out and names what was set aside as damaged', async () => {
    fill([1, 2]);
    const aside = `${storePath()}.damaged-20260102T030405.678Z`;
    copyFileSync(storePath(), aside);
    log('logs/usage.jsonl', [completion(3)]);
    expect(await run('merge', '--dir', 'logs')).toMatchObject({
      code: 0,
      out: expect.stringContaining(
        `Left out, stores that were set aside as damaged:\n  ${aside}\nWritten:\n`,
      ),
    });
    expect((await json('merge', '--dir', 'logs')).report.stores_left_out).toEqual([aside]);
  });

  it('exits 1 where a store cannot be read, and 3 where there is nothing', async () => {
    expect((await run('merge', '--dir', '.')).code).toBe(3);
    const ends = ['db', 'sqlite', 'sqlite3'];
    for (const end of ends) {
      writeFileSync(join(host.cwd, `broken.${end}`), 'x'.repeat(5000));
      writeFileSync(join(host.cwd, `empty.${end}`), '');
    }
    const whole = log('usage.jsonl', [completion(1)]);
    log('usage-no.jsonl', ['no record']);
    const { code, out, err } = await run('merge', '--dir', '.');
    expect(out).toContain(`1 exchange of 0 stores and 1 log, each once:\n  ${whole}\nWritten:\n`);
    expect([code, err.match(/\w+\.\w+: file is not a database/g)]).toEqual([
      1,
      ends.map((end) => `broken.${end}: file is not a database`),
    ]);
  });

  it('exits 1 where it may not read a folder or a log, and counts the others', async () => {
    log('logs/usage.jsonl', [completion(1)]);
    const shut = [dirname(log('logs/z/usage.jsonl', [''])), log('logs/usage.jsonl.1', [completion(2)])];
    expect((await run('merge', '--dir', 'logs')).code).toBe(0);
    chmodSync(dirname(host.cwd), 0o755);
    for (const path of ['.', 'results/rollups']) chmodSync(join(host.cwd, path), 0o777);
    for (const path of shut) chmodSync(path, 0);
    // Root is refused nothing.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    const { code, out, err } = await run('merge', '--dir', 'logs', '--json').finally(() => {
      if (isRoot) process.seteuid?.(0);
      for (const path of shut) chmodSync(path, 0o755);
    });
    const said = shut.map((path) => `ccp: warning: ${path} cannot be read: permission denied\n`);
    expect([code, err]).toEqual([1, said.join('')]);
    const { unread, written } = JSON.parse(out);
    expect(unread).toEqual(shut.map((path) => ({ path, problem: 'permission denied' })));
    expect(written[0]).toMatchObject({ exchanges: 1 });
  });
});

describe('Ctrl-C', () => {
  const MANY = 60_000;

  it.each([
    ['merge', ['--dir', 'logs'], 'tmp', /^ccp-merge-/],
    ['export', ['--jsonl', '--out', 'all.jsonl'], '.', /^all\.jsonl\.part$/],
  ] as const)(
    'ends db %s in order: a sentence, 130, and nothing left behind',
    async (name, options, folder, draft) => {
      fill(Array.from({ length: MANY }, (_, id) => id));
      host.write('tmp/keep', '');
      const before = readdirSync(host.cwd, { recursive: true });
      const child = spawn(process.execPath, [CCP, 'db', name, ...options], {
        cwd: host.cwd,
        env: { HOME: host.home, TMPDIR: join(host.cwd, 'tmp'), NODE_DISABLE_COMPILE_CACHE: '1' },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const said = child.stderr.toArray();
      const exited = once(child, 'exit');
      const drafts = (): string[] => readdirSync(join(host.cwd, folder)).filter((file) => draft.test(file));
      await vi.waitFor(() => expect(drafts()).toHaveLength(1), { timeout: 15_000, interval: 5 });
      child.kill('SIGINT');
      expect(await exited).toEqual([130, null]);
      expect(Buffer.concat(await said).toString()).toBe('ccp: error: interrupted by SIGINT\n');
      expect(readdirSync(host.cwd, { recursive: true })).toEqual(before);
    },
  );
});
