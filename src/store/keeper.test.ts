import { afterEach, beforeEach, expect, it } from 'vitest';
import { createKeeper, type Keeper } from './keeper.ts';
import { rowOf } from './sample-row.ts';
import { openStoreFile, type StoreFile } from './store-file.ts';
import { makeStorePlace, type StorePlace } from './testing/place.ts';
import { sample } from './testing/samples.ts';

let place: StorePlace;
let keeper: Keeper;
/** Another process's. */
let other: StoreFile;
let told: number;
beforeEach(() => {
  place = makeStorePlace();
  told = 0;
  keeper = createKeeper({ path: place.path, onAnother: () => {}, onImport: () => void (told += 1) });
  other = openStoreFile(place.path);
});
afterEach(() => {
  keeper.close();
  other[Symbol.dispose]();
  place[Symbol.dispose]();
});

const rows = (...ids: number[]) => ids.map((id) => rowOf(sample(id)));
const look = (times = 1): number => {
  for (let time = 0; time < times; time++) keeper.look();
  return told;
};

it('tells of an import once, when a look finds no more than the look before', () => {
  keeper.open();
  look();
  for (const id of [1, 2, 3]) {
    other.putIn(rows(id));
    keeper.limitHits();
    expect(look()).toBe(0);
  }
  expect(look()).toBe(1);
  expect(look(3)).toBe(1);
  other.putIn(rows(4));
  expect(look(3)).toBe(2);
});

it('does not tell of what was known before, nor of what another proxy writes', () => {
  other.putIn(rows(1));
  keeper.open();
  expect(other.putIn(rows(1))).toBe(0);
  other.write({ samples: rows(2), cooldowns: [], hits: [] });
  expect(look(3)).toBe(0);
});

it('tells of what was put in between its opening and its first look, also where the file was closed meanwhile', () => {
  keeper.open();
  other.putIn(rows(1));
  keeper.close();
  keeper.open();
  expect(look(2)).toBe(1);
});
