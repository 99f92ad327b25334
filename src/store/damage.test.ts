import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inodeOf, setAside } from './damage.ts';
import { createKeeper } from './keeper.ts';
import { rowOf } from './sample-row.ts';
import { makeStorePlace, type StorePlace } from './testing/place.ts';
import { sample } from './testing/samples.ts';

let place: StorePlace;
beforeEach(() => {
  place = makeStorePlace();
  writeFileSync(place.path, 'damaged');
});
afterEach(() => place[Symbol.dispose]());

const names = (): string[] => readdirSync(place.folder).toSorted();
/** As another process does that found the damage first. */
function replaceByNew(): void {
  renameSync(place.path, `${place.path}.theirs`);
  writeFileSync(place.path, 'new');
  writeFileSync(`${place.path}-wal`, 'its log');
}

describe('setting aside', () => {
  it('renames the file that was found damaged, with what belongs to it', () => {
    writeFileSync(`${place.path}-wal`, 'log');
    const aside = setAside(place.path, inodeOf(place.path), Date.parse('2026-01-02T03:04:05.678Z'));
    expect(aside).toBe(`${place.path}.damaged-20260102T030405.678Z`);
    expect(names()).toEqual([
      'ccp.sqlite3.damaged-20260102T030405.678Z',
      'ccp.sqlite3.damaged-20260102T030405.678Z-wal',
    ]);
  });

  it('leaves a new file alone that another process has put there meanwhile', () => {
    const damaged = inodeOf(place.path);
    replaceByNew();
    expect(setAside(place.path, damaged, Date.now())).toBe(null);
    expect(names()).toEqual(['ccp.sqlite3', 'ccp.sqlite3-wal', 'ccp.sqlite3.theirs']);
  });

  it('is left to the process that is at it, unless that was killed', () => {
    const lock = `${place.path}.lock`;
    writeFileSync(lock, '');
    const now = statSync(lock).mtimeMs;
    expect(setAside(place.path, inodeOf(place.path), now)).toBe(null);
    expect(existsSync(place.path)).toBe(true);
    utimesSync(lock, new Date(now - 11_000), new Date(now - 11_000));
    expect(setAside(place.path, inodeOf(place.path), now)).toBe(null);
    expect(setAside(place.path, inodeOf(place.path), now)).not.toBe(null);
    expect(existsSync(lock)).toBe(false);
  });
});

it('a check that ends late says nothing of the file that was begun meanwhile', () => {
  const asides: string[] = [];
  const keeper = createKeeper({
    path: place.path,
    onAnother: (whatBecame) => void asides.push(/set aside as ([^;]+);/.exec(whatBecame)?.[1] ?? whatBecame),
    onImport: () => {},
  });
  const checked = inodeOf(place.path);
  keeper.write({ samples: [rowOf(sample(1))], cooldowns: [], hits: [] });
  expect(asides).toHaveLength(1);
  keeper.damaged({ problem: 'found late', inode: checked ?? 0n });
  expect([asides.length, keeper.status().samples]).toEqual([1, 1]);
  keeper.damaged({ problem: 'found in time', inode: inodeOf(place.path) ?? 0n });
  expect([asides.length, keeper.status().samples]).toEqual([2, 0]);
  keeper.close();
  expect(readFileSync(asides[0] ?? '', 'utf8')).toBe('damaged');
});

it('damage that is moved over the file in use is set aside by the request that finds it', () => {
  const said: string[] = [];
  rmSync(place.path);
  const keeper = createKeeper({
    path: place.path,
    onAnother: (whatBecame) => void said.push(whatBecame),
    onImport: () => {},
  });
  const batch = (id: number) => ({ samples: [rowOf(sample(id))], cooldowns: [], hits: [] });
  keeper.write(batch(1));
  writeFileSync(`${place.path}.new`, 'damaged');
  renameSync(`${place.path}.new`, place.path);
  keeper.write(batch(2));
  expect(said).toEqual([expect.stringMatching(/was damaged \(.+\) and set aside as .+; a new one is begun/)]);
  expect(keeper.status().samples).toBe(1);
  keeper.close();
});
