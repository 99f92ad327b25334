/** Time as the program sees it; a test hands in its own. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds of a clock that never jumps; only differences mean something. */
  monotonic(): number;
  /** Calls back once after `ms`; the returned function cancels. Never keeps the process alive. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms).unref();
    return () => clearTimeout(timer);
  },
};

let lastMs = Number.NaN;
let lastText = '';

/** A time as records write it: RFC 3339 with milliseconds, UTC. Busy milliseconds are written once. */
export function rfc3339(ms: number): string {
  if (ms !== lastMs) {
    lastMs = ms;
    lastText = new Date(ms).toISOString();
  }
  return lastText;
}

/** A tenth of a millisecond is what a record keeps. */
export function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
