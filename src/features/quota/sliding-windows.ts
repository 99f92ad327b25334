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

/** Windows are counted as they were given. Times are epoch milliseconds. */
export interface SlidingWindows {
  /** `now` is what the clock says as it is added. */
  add(entry: Entry, now: number): void;
  /**
   * Of the entries that ended after `now - spans[window]`. What ended while the clock was ahead counts although it was
   * put back; what is further ahead than this clock ever was (it is from before a restart) only when its time has come.
   */
  sums(window: number, now: number): Sums;
  /** Gives a window another span, at most the longest that was given at first. */
  resize(window: number, span: number): void;
  /** Shows the entries of a window, oldest first, with when each ended and one of its amounts, until told to stop. */
  visit(window: number, now: number, amount: Amount, stop: (end: number, value: number) => boolean): void;
  /** How many entries count. */
  size(): number;
}

/** Where an entry keeps what it adds; its time stands first. */
const FIELD = { requests: 1, tokens: 2, tenths: 3, output: 4, streamed: 5, streamTenths: 6 } as const;
const WIDTH = 7;
/** What an entry adds at most: more than any answer has, and little enough that no sum leaves the whole numbers. */
const LARGEST = 1e9;
/** 7 MiB: one exchange every 4.6 s for a week. To merge as many takes some milliseconds of the relaying thread. */
const MAX_ENTRIES = 2 ** 17;
const FIRST_ENTRIES = 128;
/** As far may the clock have been put back before a restart. What has left all windows stays as long, for the same. */
const GRACE_MS = 3_600_000;

/**
 * @param spans milliseconds
 * @param maxEntries how many are kept apart, a power of two. Beyond, exchanges that ended in the same slot of time become
 * one that ended with the last of them: the sums stay exact, and one may leave a window late by a slot, 9.3 s where it is
 * a week.
 */
export function createSlidingWindows(spans: readonly number[], maxEntries = MAX_ENTRIES): SlidingWindows {
  // A ring, so that what is older (a store gives its newest first) costs no more in front than what is new behind.
  let capacity = Math.min(FIRST_ENTRIES, maxEntries);
  let cells = new Float64Array(capacity * WIDTH);
  let [begin, length] = [0, 0];
  /** How many count: those behind are of a future that has yet to come. */
  let counted = 0;
  /** The furthest that the clock ever was. */
  let latest = Number.NEGATIVE_INFINITY;
  /** The least that the clock was since there was last no room. */
  let least = Number.POSITIVE_INFINITY;
  const windows = spans.map((span) => ({ span, tail: 0, sums: new Float64Array(WIDTH) }));
  const longest = Math.max(...spans);

  const offsetOf = (index: number): number => ((begin + index) & (capacity - 1)) * WIDTH;
  const endOf = (index: number): number => cells[offsetOf(index)] ?? Number.NaN;
  const addTo = (sums: Float64Array, index: number, sign: 1 | -1): void => {
    const offset = offsetOf(index);
    for (let field = 1; field < WIDTH; field += 1) {
      sums[field] = (sums[field] ?? 0) + sign * (cells[offset + field] ?? 0);
    }
  };
  const copy = (from: number, to: number): void => {
    cells.copyWithin(offsetOf(to), offsetOf(from), offsetOf(from) + WIDTH);
  };

  const hasCome = (ts: number): boolean => ts <= latest + GRACE_MS;

  const advance = (now: number): void => {
    if (now > latest) latest = now;
    for (; counted < length && hasCome(endOf(counted)); counted += 1) {
      for (const window of windows) addTo(window.sums, counted, 1);
    }
  };

  /** A window as it is at a time, which may be before that of the last question. */
  const at = (which: number, now: number): (typeof windows)[number] => {
    const window = windows[which];
    if (window === undefined) throw new RangeError(`there is no window ${which}`);
    advance(now);
    const { span, sums } = window;
    while (window.tail < counted && endOf(window.tail) <= now - span) {
      addTo(sums, window.tail, -1);
      window.tail += 1;
    }
    while (window.tail > 0 && endOf(window.tail - 1) > now - span) {
      window.tail -= 1;
      addTo(sums, window.tail, 1);
    }
    return window;
  };

  /** Where an entry of that time belongs: almost always at an end. */
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

  /** Makes a place, from the end that is nearer. */
  const open = (index: number): void => {
    length += 1;
    if (index < length / 2) {
      begin = (begin + capacity - 1) & (capacity - 1);
      for (let to = 0; to < index; to += 1) copy(to + 1, to);
    } else {
      for (let to = length - 1; to > index; to -= 1) copy(to - 1, to);
    }
  };

  /** Slots take half; a quarter is for what is over and not yet forgotten. */
  const isCrowded = (): boolean => length > (capacity * 3) / 4;

  const makeRoom = (): void => {
    forget();
    if (isCrowded() && capacity < maxEntries) grow();
    for (let slot = (longest + GRACE_MS) / (maxEntries / 2); isCrowded(); slot *= 2) merge(slot);
  };

  /**
   * Drops what has left every window, and a while ago, by every look at the clock since the last time: one that is ahead
   * for some exchanges must not make us forget what counts again once it is put back.
   */
  const forget = (): void => {
    const before = least - longest - GRACE_MS;
    least = Number.POSITIVE_INFINITY;
    let gone = 0;
    for (; gone < counted && endOf(gone) <= before; gone += 1) {
      for (const window of windows) if (window.tail <= gone) addTo(window.sums, gone, -1);
    }
    begin = (begin + gone) & (capacity - 1);
    length -= gone;
    counted -= gone;
    for (const window of windows) window.tail = Math.max(window.tail - gone, 0);
  };

  const grow = (): void => {
    const larger = new Float64Array(2 * cells.length);
    const first = cells.subarray(begin * WIDTH);
    larger.set(first);
    larger.set(cells.subarray(0, begin * WIDTH), first.length);
    [cells, begin, capacity] = [larger, 0, 2 * capacity];
  };

  /** Makes one entry, which ends with the last, of all that ended in the same slot of time. */
  const merge = (slot: number): void => {
    const slotOf = (index: number): number => Math.floor(endOf(index) / slot);
    for (const window of windows) {
      // What has left leaves later, with the slot.
      while (window.tail > 0 && window.tail < counted && slotOf(window.tail - 1) === slotOf(window.tail)) {
        window.tail -= 1;
        addTo(window.sums, window.tail, 1);
      }
    }
    // What is of the future stays apart from what is not.
    const marks = [...windows.map(({ tail }) => tail), counted].toSorted((a, b) => a - b);
    const renumbered = new Map<number, number>();
    let [kept, last, next] = [0, Number.NaN, 0];
    for (let index = 0; index < length; index += 1) {
      const from = offsetOf(index);
      const its = Math.floor((cells[from] ?? 0) / slot);
      const joins = its === last && index !== counted;
      last = its;
      if (!joins) kept += 1;
      for (; marks[next] === index; next += 1) renumbered.set(index, kept - 1);
      const to = offsetOf(kept - 1);
      cells[to] = cells[from] ?? 0;
      for (let field = 1; field < WIDTH; field += 1) {
        cells[to + field] = (cells[from + field] ?? 0) + (joins ? (cells[to + field] ?? 0) : 0);
      }
    }
    for (const window of windows) window.tail = renumbered.get(window.tail) ?? kept;
    counted = renumbered.get(counted) ?? kept;
    length = kept;
  };

  return {
    add(entry, now) {
      if (now < least) least = now;
      if (length === capacity) makeRoom();
      advance(now);
      const index = placeOf(entry.ts);
      open(index);
      write(cells, offsetOf(index), entry);
      if (index > counted || !hasCome(entry.ts)) return;
      counted += 1;
      for (const window of windows) {
        if (index < window.tail) window.tail += 1;
        else addTo(window.sums, index, 1);
      }
    },
    sums: (which, now) => read(at(which, now).sums),
    resize(which, span) {
      const window = windows[which];
      if (window === undefined || span > longest)
        throw new RangeError(`window ${which} cannot span ${span} ms`);
      window.span = span;
    },
    visit(which, now, amount, stop) {
      const { tail } = at(which, now);
      const [all, mask, field] = [cells, capacity - 1, FIELD[amount]];
      for (let index = begin + tail; index < begin + counted; index += 1) {
        const offset = (index & mask) * WIDTH;
        if (stop(all[offset] ?? 0, all[offset + field] ?? 0)) return;
      }
    },
    size: () => counted,
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
