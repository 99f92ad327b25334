import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLineFile, type LineFile, type LineFileOptions } from './line-file.ts';
import { createTrouble } from './trouble.ts';

const HOUR = 3_600_000;

let dir: string;
let path: string;
let later: number;
let warnings: string[];
let opened: LineFile[];

/** The real time, moved on by `later`: files carry real times. */
const clock = {
  now: () => Date.now() + later,
  monotonic: () => performance.now() + later,
  after: () => () => {},
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ccp-lines-'));
  path = join(dir, 'logs', 'usage.jsonl');
  later = 0;
  warnings = [];
  opened = [];
});

afterEach(() => {
  for (const file of opened) file.close();
  rmSync(dir, { recursive: true, force: true });
});

function open(limits: Partial<LineFileOptions> = {}): LineFile {
  const log = { info() {}, error() {}, warn: (message: string) => void warnings.push(message) };
  const trouble = createTrouble({ log, clock });
  const file = createLineFile({ path, maxBytes: 1e9, maxAgeMs: 24 * HOUR, clock, trouble, ...limits });
  opened.push(file);
  return file;
}

const read = (name = path): string => readFileSync(name, 'utf8');
const names = (): string[] => readdirSync(dirname(path)).toSorted();
const allLines = (): string[] =>
  names().flatMap((name) =>
    read(join(dirname(path), name))
      .split('\n')
      .slice(0, -1),
  );

describe('lines', () => {
  it('are written at once, to a file and folder that only the owner may read', () => {
    open().append('{"a":1}');
    expect(read()).toBe('{"a":1}\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
  });

  it('are appended to what a former process left', () => {
    open().append('one');
    open().append('two');
    expect(read()).toBe('one\ntwo\n');
  });

  it('are never joined with a torn line of a killed process', () => {
    mkdirSync(dirname(path));
    writeFileSync(path, 'whole\nto');
    const file = open();
    file.append('next');
    file.append('after');
    expect(read()).toBe('whole\nto\nnext\nafter\n');
  });

  it('are never joined with a line that another process tears while this one runs', () => {
    const file = open();
    file.append('mine');
    writeFileSync(path, 'to', { flag: 'a' });
    later += 1_000;
    file.append('mine too');
    expect(read()).toBe('mine\nto\nmine too\n');
  });

  it('that come after close() are written all the same', () => {
    const file = open();
    file.append('one');
    file.close();
    file.append('two');
    expect(read()).toBe('one\ntwo\n');
  });
});

describe('rotation', () => {
  it('by size loses and splits no line, and keeps every file within its limit', () => {
    const file = open({ maxBytes: 100 });
    const lines = Array.from({ length: 60 }, (_, n) => `line ${n} é`);
    for (const line of lines) file.append(line);
    expect(names()).toEqual(['usage.jsonl', ...[1, 2, 3, 4, 5].map((copy) => `usage.jsonl.${copy}`)]);
    expect(allLines().toSorted()).toEqual(lines.toSorted());
    for (const copy of [1, 2, 3, 4, 5]) expect(statSync(`${path}.${copy}`).size).toBeLessThanOrEqual(100);
    expect(read(`${path}.5`).startsWith('line 0 ')).toBe(true);
  });

  it('puts a line that is longer than the limit into a file of its own', () => {
    const file = open({ maxBytes: 10 });
    const long = 'x'.repeat(50);
    for (const line of [long, 'short', long]) file.append(line);
    expect(names()).toEqual(['usage.jsonl', 'usage.jsonl.1', 'usage.jsonl.2']);
    expect([`${path}.2`, `${path}.1`, path].map(read)).toEqual([`${long}\n`, 'short\n', `${long}\n`]);
  });

  it('drops the oldest copy only once no process can still be writing to it', () => {
    const file = open({ maxBytes: 10 });
    for (let n = 0; n < 20; n += 1) file.append(`line ${n}`);
    expect(allLines()).toHaveLength(20);
    later += 3_000;
    file.append('line 20');
    expect(allLines()).not.toContain('line 0');
    expect(allLines()).toHaveLength(20);
    expect(read()).toBe('line 20\n');
  });

  it('by age counts from the first line, across restarts', () => {
    const first = JSON.stringify({ v: 1, ts: new Date(Date.now() - 23 * HOUR).toISOString() });
    mkdirSync(dirname(path));
    writeFileSync(path, `${first}\n`);
    open().append('second');
    later = 2 * HOUR;
    open().append('third');
    expect(read(`${path}.1`)).toBe(`${first}\nsecond\n`);
    expect(read()).toBe('third\n');
  });

  it('by age counts from the first line of this process too, not from the empty file', () => {
    const file = open();
    file.prepare();
    later = 23 * HOUR;
    file.append('first');
    later = 46 * HOUR;
    file.append('second');
    expect(names()).toEqual(['usage.jsonl']);
    later = 48 * HOUR;
    file.append('third');
    expect(read(`${path}.1`)).toBe('first\nsecond\n');
  });

  it('on demand gives the new name, and null where there is nothing to rotate', () => {
    const file = open();
    expect(file.rotate()).toBeNull();
    file.append('one');
    expect(file.rotate()).toBe(`${path}.1`);
    expect(file.rotate()).toBeNull();
    file.append('two');
    expect([`${path}.1`, path].map(read)).toEqual(['one\n', 'two\n']);
  });

  it('on demand drops the oldest copy however young it is', () => {
    const file = open();
    for (let n = 0; n < 7; n += 1) {
      file.append(`line ${n}`);
      file.rotate();
    }
    expect([1, 2, 3, 4, 5].map((copy) => read(`${path}.${copy}`))).toEqual(
      [6, 5, 4, 3, 2].map((n) => `line ${n}\n`),
    );
  });

  it('shifts copies only up to the first gap', () => {
    mkdirSync(dirname(path));
    writeFileSync(path, 'now\n');
    for (const copy of [1, 3, 5]) writeFileSync(`${path}.${copy}`, `copy ${copy}\n`);
    open().rotate();
    expect([1, 2, 3, 5].map((copy) => read(`${path}.${copy}`))).toEqual([
      'now\n',
      'copy 1\n',
      'copy 3\n',
      'copy 5\n',
    ]);
  });

  it('waits while another process rotates, and goes on writing', () => {
    const file = open({ maxBytes: 10 });
    file.append('one');
    writeFileSync(`${path}.lock`, '');
    file.append('a longer line');
    expect(read()).toBe('one\na longer line\n');
    rmSync(`${path}.lock`);
    file.append('tried again');
    later += 1_000;
    file.append('after a second');
    expect(read(`${path}.1`)).toBe('one\na longer line\ntried again\n');
  });

  it('clears the lock of a process that was killed in a rotation', () => {
    const file = open({ maxBytes: 10 });
    file.append('one');
    writeFileSync(`${path}.lock`, '');
    utimesSync(`${path}.lock`, new Date(), new Date(Date.now() - 60_000));
    file.append('a longer line');
    later += 1_000;
    file.append('two');
    expect(names()).toEqual(['usage.jsonl', 'usage.jsonl.1']);
  });

  it('by another process is followed within a second', () => {
    const file = open();
    file.append('one');
    renameSync(path, `${path}.1`);
    file.append('two');
    later += 1_000;
    file.append('three');
    expect([`${path}.1`, path].map(read)).toEqual(['one\ntwo\n', 'three\n']);
  });

  it('by another process a moment before is not done twice', () => {
    const file = open({ maxBytes: 10 });
    file.append('one');
    renameSync(path, `${path}.1`);
    writeFileSync(path, 'its\n');
    file.append('a longer line');
    expect(names()).toEqual(['usage.jsonl', 'usage.jsonl.1']);
    expect(read()).toBe('its\na longer line\n');
  });
});

describe('a file system in trouble', () => {
  it('that lost the folder gets it again', () => {
    const file = open();
    file.append('one');
    rmSync(dirname(path), { recursive: true });
    later += 1_000;
    file.append('two');
    expect(read()).toBe('two\n');
  });

  it('that refuses to write stops nothing, is told of once a minute, and is used again once it is better', () => {
    mkdirSync(path, { recursive: true });
    const file = open();
    file.prepare();
    for (let n = 0; n < 100; n += 1) file.append('lost');
    expect(warnings).toEqual([
      expect.stringMatching(/^usage\.jsonl cannot be opened: EISDIR/),
      expect.stringMatching(/^a line of usage\.jsonl was lost: EISDIR/),
    ]);
    later += 60_000;
    file.append('lost');
    expect(warnings.at(-1)).toContain('(101 times since start)');
    rmSync(path, { recursive: true });
    later += 1_000;
    file.append('kept');
    expect(read()).toBe('kept\n');
  });

  it('that is read-only stops nothing', () => {
    mkdirSync(dirname(path));
    chmodSync(dirname(path), 0o500);
    chmodSync(dir, 0o755);
    asOrdinaryUser(() => {
      open().append('lost');
      expect(open().rotate()).toBeNull();
    });
    expect(warnings).toEqual([expect.stringMatching(/^a line of usage\.jsonl was lost: EACCES/)]);
  });

  it('that lets nobody rename lets the file grow', () => {
    mkdirSync(dirname(path));
    writeFileSync(path, '');
    chmodSync(path, 0o666);
    chmodSync(dirname(path), 0o555);
    chmodSync(dir, 0o755);
    asOrdinaryUser(() => {
      const file = open({ maxBytes: 10 });
      for (let n = 0; n < 5; n += 1) file.append(`line ${n}`);
    });
    chmodSync(dirname(path), 0o755);
    expect(read().split('\n')).toHaveLength(6);
    expect(warnings).toEqual([expect.stringMatching(/^usage\.jsonl could not be rotated: EACCES/)]);
  });

  it('with a symbolic link in place of the log is not written through it', () => {
    mkdirSync(dirname(path));
    const elsewhere = join(dir, 'precious');
    writeFileSync(elsewhere, 'untouched');
    symlinkSync(elsewhere, path);
    open().append('line');
    expect(read(elsewhere)).toBe('untouched');
    expect(warnings).toEqual([expect.stringContaining('ELOOP')]);
  });
});

/** Root is refused nothing; so the tests that need a refusal step down for their duration. */
function asOrdinaryUser(run: () => void): void {
  if (process.geteuid?.() !== 0) {
    run();
    return;
  }
  process.seteuid?.(65_534);
  try {
    run();
  } finally {
    process.seteuid?.(0);
  }
}
