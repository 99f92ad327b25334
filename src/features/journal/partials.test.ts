import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { PartialSink } from '../../core/types.ts';
import { createPartials, type PartialsOptions } from './partials.ts';

let root: string;
let dir: string;
let troubles: string[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ccp-partials-'));
  dir = join(root, 'logs', 'partials');
  troubles = [];
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function open(limits: Partial<PartialsOptions> = {}): PartialSink {
  return createPartials({ dir, trouble: (what) => troubles.push(what), ...limits });
}

const bytes = (length: number): Buffer[] => [Buffer.alloc(length, 'x')];

/** What lies in the folder, but for what keeps it out of repositories. */
const kept = (): string[] => readdirSync(dir).filter((name) => name !== '.gitignore');

it('keeps the pieces in one file that only the owner may read, in a folder of the same kind', () => {
  expect(open().write('00aa', [Buffer.from('event: '), Buffer.from('ping\n')])).toBe(true);
  const path = join(dir, '00aa.partial');
  expect(readFileSync(path, 'utf8')).toBe('event: ping\n');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(dir).mode & 0o777).toBe(0o700);
});

it('keeps answers out of the repository that the folder may lie in', () => {
  open().write('a', bytes(1));
  expect(readFileSync(join(dir, '.gitignore'), 'utf8')).toBe('*\n');
});

it('keeps the newest files', () => {
  const partials = open({ maxFiles: 3 });
  for (const rid of ['e', 'd', 'c', 'b', 'a']) partials.write(rid, bytes(1));
  expect(kept()).toEqual(['a.partial', 'b.partial', 'c.partial']);
});

it('keeps the newest bytes', () => {
  const partials = open({ maxBytes: 100 });
  for (const rid of ['c', 'b', 'a']) partials.write(rid, bytes(50));
  expect(kept()).toEqual(['a.partial', 'b.partial']);
});

it('counts what former processes left, oldest first, and leaves other files alone', () => {
  mkdirSync(dir, { recursive: true });
  for (const [rid, age] of Object.entries({ a: 10, b: 1000 })) {
    writeFileSync(join(dir, `${rid}.partial`), 'x');
    const then = new Date(Date.now() - age * 1000);
    utimesSync(join(dir, `${rid}.partial`), then, then);
  }
  writeFileSync(join(dir, 'notes.txt'), 'x');
  open({ maxFiles: 2 }).write('new', bytes(1));
  expect(kept()).toEqual(['a.partial', 'new.partial', 'notes.txt']);
});

it('never takes newer files for those that somebody has removed', () => {
  const partials = open({ maxFiles: 2 });
  for (const rid of ['a', 'b']) partials.write(rid, bytes(1));
  rmSync(dir, { recursive: true });
  for (const rid of ['c', 'd']) expect(partials.write(rid, bytes(1))).toBe(true);
  expect(kept()).toEqual(['c.partial', 'd.partial']);
});

it('says so where a partial cannot be kept, and overwrites none', () => {
  const partials = open();
  partials.write('a', [Buffer.from('first')]);
  expect(partials.write('a', [Buffer.from('second')])).toBe(false);
  expect(troubles).toEqual(['a partial could not be kept']);
  expect(readFileSync(join(dir, 'a.partial'), 'utf8')).toBe('first');
});

it('refuses at once what would fill the folder by itself', () => {
  const partials = open({ maxBytes: 100 });
  partials.write('a', bytes(60));
  expect(partials.write('b', bytes(101))).toBe(false);
  expect(kept()).toEqual(['a.partial']);
});
