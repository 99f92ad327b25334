/** Sums over the exchanges of the last hours and days: exact, whatever order and clock they come in. */

/** What one exchange adds. All are whole numbers, so that sums don't drift. */
export interface Entry {
  /** Epoch milliseconds at which it ended. */
  readonly ts: number;
  readonly requests: number;
  readonly tokens: number;
  /** Its duration in tenths of a millisecond, the resolution of a record. */
  readonly tenths: number;
  readonly output: number;
  /** Output tokens that came as a stream, and for how long it flowed, in tenths of a millisecond. */
  readonly streamed: number;
  readonly streamTenths: number;
}

export type Amount = Exclude<keyof Entry, 'ts'>;
export type Sums = Readonly<Record<Amount, number>>;

export interface SlidingWindows {
  add(entry: Entry): void;
  /** Of the entries that ended after `now - spans[window]`; those of a future that the clock took back count. */
  sums(window: number, now: number): Sums;
  /** One amount of each entry of a window as last summed, oldest first, while `visit` says true. */
  each(window: number, amount: Amount, visit: (ts: number, value: number) => boolean): void;
  /** All entries that are kept, oldest first. */
  all(visit: (ts: number, tokens: number, requests: number, tenths: number) => void): void;
}

/** Numbers an entry takes: its time, and then what it adds. */
const WIDTH = 7;
const AMOUNTS = ['requests', 'tokens', 'tenths', 'output', 'streamed', 'streamTenths'] as const;
/** What an entry adds at most: more than any answer has, and little enough that no sum leaves the whole numbers. */
const LARGEST = 1e9;
/** 28 MiB: one exchange every 1.2 s for a week. */
const MAX_ENTRIES = 2 ** 19;
/** What has left all windows stays this long, for a clock that is put back. */
const GRACE_MS = 3_600_000;

/**
 * @param spans milliseconds
 * @param maxEntries how many are kept apart. Beyond, exchanges that ended in the same slot of time become one that ended
 * with the last of them: the sums stay exact, and one may leave a window late by a slot, 2.4 s where it is a week.
 */
export function createSlidingWindows(spans: readonly number[], maxEntries = MAX_ENTRIES): SlidingWindows {
  let cells = new Float64Array(64 * WIDTH);
  let length = 0;
  const windows = spans.map((span) => ({ span, tail: 0, sums: new Float64Array(WIDTH) }));
  const longest = Math.max(...spans);

  const tsAt = (index: number): number => cells[index * WIDTH] ?? Number.NaN;
  const addTo = (sums: Float64Array, index: number, sign: 1 | -1): void => {
    for (let field = 1; field < WIDTH; field += 1) {
      sums[field] = (sums[field] ?? 0) + sign * (cells[index * WIDTH + field] ?? 0);
    }
  };

  /** Where an entry of that time belongs: almost always at the end. */
  const placeOf = (ts: number): number => {
    if (length === 0 || tsAt(length - 1) <= ts) return length;
    let [low, high] = [0, length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (tsAt(middle) <= ts) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const makeRoom = (): void => {
    forget();
    if (length * WIDTH < cells.length / 2) return;
    if (length < maxEntries) {
      const larger = new Float64Array(cells.length * 2);
      larger.set(cells);
      cells = larger;
    } else {
      for (let slot = (2 * longest) / maxEntries; length > maxEntries / 2; slot *= 2) merge(slot);
    }
  };

  /** Drops what no window will hold again. */
  const forget = (): void => {
    const newest = tsAt(length - 1);
    let gone = 0;
    while (gone < length && tsAt(gone) <= newest - longest - GRACE_MS) gone += 1;
    // What is at the end of a window's tail now must stay within its reach.
    gone = Math.min(gone, ...windows.map(({ tail }) => tail));
    cells.copyWithin(0, gone * WIDTH, length * WIDTH);
    length -= gone;
    for (const window of windows) window.tail -= gone;
  };

  /** Makes one entry, which ends with the last, of all that ended in the same slot of time. */
  const merge = (slot: number): void => {
    let kept = 0;
    for (let index = 1; index < length; index += 1) {
      const together = Math.floor(tsAt(kept) / slot) === Math.floor(tsAt(index) / slot);
      if (!together) kept += 1;
      const [from, to] = [index * WIDTH, kept * WIDTH];
      cells[to] = cells[from] ?? 0;
      for (let field = 1; field < WIDTH; field += 1) {
        cells[to + field] = (cells[from + field] ?? 0) + (together ? (cells[to + field] ?? 0) : 0);
      }
    }
    length = kept + 1;
    for (const window of windows) {
      window.tail = 0;
      window.sums.fill(0);
      for (let index = 0; index < length; index += 1) addTo(window.sums, index, 1);
    }
  };

  return {
    add(entry) {
      if ((length + 1) * WIDTH > cells.length) makeRoom();
      const index = placeOf(entry.ts);
      cells.copyWithin((index + 1) * WIDTH, index * WIDTH, length * WIDTH);
      cells.set(
        [entry.ts, ...AMOUNTS.map((name) => Math.min(Math.round(entry[name]), LARGEST))],
        index * WIDTH,
      );
      length += 1;
      for (const window of windows) {
        if (index < window.tail) window.tail += 1;
        else addTo(window.sums, index, 1);
      }
    },
    sums(which, now) {
      const window = windows[which];
      if (window === undefined) throw new RangeError(`there is no window ${which}`);
      const { span, sums } = window;
      while (window.tail < length && tsAt(window.tail) <= now - span) {
        addTo(sums, window.tail, -1);
        window.tail += 1;
      }
      while (window.tail > 0 && tsAt(window.tail - 1) > now - span) {
        window.tail -= 1;
        addTo(sums, window.tail, 1);
      }
      return read(sums, 0);
    },
    each(which, amount, visit) {
      const field = 1 + AMOUNTS.indexOf(amount);
      for (let index = windows[which]?.tail ?? length; index < length; index += 1) {
        if (!visit(tsAt(index), cells[index * WIDTH + field] ?? 0)) return;
      }
    },
    all(visit) {
      for (let index = 0; index < length; index += 1) {
        const { tokens, requests, tenths } = read(cells, index * WIDTH);
        visit(tsAt(index), tokens, requests, tenths);
      }
    },
  };
}

/** The amounts that stand behind the time at `at`. */
const read = (cells: Float64Array, at: number): Sums => ({
  requests: cells[at + 1] ?? 0,
  tokens: cells[at + 2] ?? 0,
  tenths: cells[at + 3] ?? 0,
  output: cells[at + 4] ?? 0,
  streamed: cells[at + 5] ?? 0,
  streamTenths: cells[at + 6] ?? 0,
});
