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

/** Entries are counted from the oldest that is kept; windows as they were given. */
export interface SlidingWindows {
  add(entry: Entry): void;
  /** Of the entries that ended after `now - spans[window]`; those of a future that the clock took back count. */
  sums(window: number, now: number): Sums;
  /** The first entry of a window; `size()` where the window is empty. */
  tail(window: number, now: number): number;
  /** How many entries are kept. */
  size(): number;
  /** When one ended, in epoch milliseconds. */
  endOf(index: number): number;
  amountOf(index: number, amount: Amount): number;
}

/** Where an entry keeps what it adds; its time stands first. */
const FIELD = { requests: 1, tokens: 2, tenths: 3, output: 4, streamed: 5, streamTenths: 6 } as const;
const WIDTH = 7;
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

  const endOf = (index: number): number => cells[index * WIDTH] ?? Number.NaN;
  const addTo = (sums: Float64Array, index: number, sign: 1 | -1): void => {
    for (let field = 1; field < WIDTH; field += 1) {
      sums[field] = (sums[field] ?? 0) + sign * (cells[index * WIDTH + field] ?? 0);
    }
  };

  /** A window as it is at a time, which may be before that of the last question. */
  const at = (which: number, now: number): (typeof windows)[number] => {
    const window = windows[which];
    if (window === undefined) throw new RangeError(`there is no window ${which}`);
    const { span, sums } = window;
    while (window.tail < length && endOf(window.tail) <= now - span) {
      addTo(sums, window.tail, -1);
      window.tail += 1;
    }
    while (window.tail > 0 && endOf(window.tail - 1) > now - span) {
      window.tail -= 1;
      addTo(sums, window.tail, 1);
    }
    return window;
  };

  /** Where an entry of that time belongs: almost always at the end. */
  const placeOf = (ts: number): number => {
    if (length === 0 || endOf(length - 1) <= ts) return length;
    let [low, high] = [0, length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (endOf(middle) <= ts) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const isCrowded = (): boolean => length > maxEntries / 2;

  const makeRoom = (): void => {
    forget();
    if (length * WIDTH < cells.length / 2) return;
    if (length < maxEntries) {
      const larger = new Float64Array(cells.length * 2);
      larger.set(cells);
      cells = larger;
    } else {
      let slot = (2 * longest) / maxEntries;
      do {
        merge(slot);
        slot *= 2;
      } while (isCrowded());
    }
  };

  /** Drops what has left every window, seen from the newest entry, and a while ago. */
  const forget = (): void => {
    const newest = endOf(length - 1);
    for (let which = 0; which < windows.length; which += 1) at(which, newest);
    const before = newest - longest - GRACE_MS;
    const firstHeld = Math.min(...windows.map(({ tail }) => tail));
    let gone = 0;
    while (gone < firstHeld && endOf(gone) <= before) gone += 1;
    cells.copyWithin(0, gone * WIDTH, length * WIDTH);
    length -= gone;
    for (const window of windows) window.tail -= gone;
  };

  /** Makes one entry, which ends with the last, of all that ended in the same slot of time. */
  const merge = (slot: number): void => {
    let kept = 0;
    for (let index = 1; index < length; index += 1) {
      const together = Math.floor(endOf(kept) / slot) === Math.floor(endOf(index) / slot);
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
      write(cells, index * WIDTH, entry);
      length += 1;
      for (const window of windows) {
        if (index < window.tail) window.tail += 1;
        else addTo(window.sums, index, 1);
      }
    },
    sums: (which, now) => read(at(which, now).sums),
    tail: (which, now) => at(which, now).tail,
    size: () => length,
    endOf,
    amountOf: (index, amount) => cells[index * WIDTH + FIELD[amount]] ?? 0,
  };
}

const read = (sums: Float64Array): Sums => ({
  requests: sums[FIELD.requests] ?? 0,
  tokens: sums[FIELD.tokens] ?? 0,
  tenths: sums[FIELD.tenths] ?? 0,
  output: sums[FIELD.output] ?? 0,
  streamed: sums[FIELD.streamed] ?? 0,
  streamTenths: sums[FIELD.streamTenths] ?? 0,
});

function write(cells: Float64Array, at: number, entry: Entry): void {
  cells[at] = entry.ts;
  cells[at + FIELD.requests] = whole(entry.requests);
  cells[at + FIELD.tokens] = whole(entry.tokens);
  cells[at + FIELD.tenths] = whole(entry.tenths);
  cells[at + FIELD.output] = whole(entry.output);
  cells[at + FIELD.streamed] = whole(entry.streamed);
  cells[at + FIELD.streamTenths] = whole(entry.streamTenths);
}

const whole = (amount: number): number => Math.min(Math.round(amount), LARGEST);
