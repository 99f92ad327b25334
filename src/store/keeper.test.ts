import { afterEach, beforeEach, expect, it } from 'vitest';
import { createKeeper, type Keeper } from './keeper.ts';
import { rowOf } from './sample-row.ts';
import { openStoreFile, type StoreFile } from './store-file.ts';
import { makeStorePlace, type StorePlace } from './testing/place.ts';
import { NOON, sample } from './testing/samples.ts';

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

it('looks at so many samples at once, and no more, for a page of a lane that is rare', () => {
  const [many, LOOKED_AT] = [20_001, 20_000];
  keeper.write({ samples: [rowOf(sample(0))], cooldowns: [], hits: [] });
  const others = Array.from({ length: many }, (_, at) => rowOf(sample(at + 1, { lane: 'anthropic' })));
  keeper.write({ samples: others, cooldowns: [], hits: [] });
  const first = keeper.page({ lane: 'zai', limit: 5 });
  expect(first).toEqual({ samples: [], next_cursor: expect.any(String) });
  const stopped = Buffer.from(first.next_cursor ?? '', 'base64url').toString();
  expect(stopped).toBe(`${NOON + many - LOOKED_AT + 1}.${many - LOOKED_AT + 2}`);
  const rest = { lane: 'zai', limit: 5, cursor: first.next_cursor ?? '' };
  expect(keeper.page(rest)).toEqual({ samples: [sample(0)], next_cursor: null });
  expect(keeper.page({ lane: 'anthropic', limit: 5 }).samples).toHaveLength(5);
});
