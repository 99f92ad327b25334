/** Watches what a process takes: resident memory and open files, several times a second, out of `/proc`. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Slopes } from '../protocol/witness.ts';
import { familyOf } from './process-family.ts';

const EVERY_MS = 200;

export interface ProcessWatch extends AsyncDisposable {
  /** Of the second half of what was seen; null where nothing could be read. */
  slopes(): Slopes | null;
  /** Everything that was seen. */
  seen(): readonly Seen[];
}

export interface Seen {
  /** Milliseconds, on a clock that only goes forward. */
  readonly at: number;
  readonly rssMb: number;
  readonly files: number;
  /** Those of the files that are sockets. */
  readonly sockets: number;
}

/** Watches until it is disposed of, or until the process is gone. */
export function watchProcess(pid: number | null): ProcessWatch {
  const seen: Seen[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    while (!stop.signal.aborted) {
      const one = pid === null ? null : await look(pid).catch(() => null);
      if (one === null) return;
      seen.push(one);
      await sleep(EVERY_MS, undefined, { signal: stop.signal, ref: false }).catch(() => undefined);
    }
  })();
  return {
    slopes: () => slopesOf(seen),
    seen: () => seen,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await watching;
    },
  };
}

/** What it takes with all below it; null where there is none. */
async function look(pid: number): Promise<Seen | null> {
  const family = await Promise.all(familyOf(pid).map(takenBy));
  if (family.length === 0) return null;
  const sum = (key: 'rssMb' | 'files' | 'sockets'): number =>
    family.reduce((total, one) => total + one[key], 0);
  return { at: performance.now(), rssMb: sum('rssMb'), files: sum('files'), sockets: sum('sockets') };
}

async function takenBy(pid: number): Promise<Omit<Seen, 'at'>> {
  const [status, files] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readdir(`/proc/${pid}/fd`),
  ]);
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  if (!Number.isFinite(kilobytes)) throw new TypeError(`/proc/${pid}/status tells of no memory`);
  // One that was closed since it was listed is no socket any more.
  const links = await Promise.all(files.map((one) => readlink(`/proc/${pid}/fd/${one}`).catch(() => '')));
  const sockets = links.filter((link) => link.startsWith('socket:')).length;
  return { rssMb: kilobytes / 1024, files: files.length, sockets };
}

/** Least squares over the second half: the first is the warm-up. One look alone has a level, and no slope. */
export function slopesOf(seen: readonly Omit<Seen, 'sockets'>[]): Slopes | null {
  const half = seen.slice(Math.floor(seen.length / 2));
  const [first, last] = [half[0], half.at(-1)];
  if (first === undefined || last === undefined) return null;
  return {
    ms: last.at - first.at,
    rssMbPerMinute: 60_000 * slope(half.map(({ at, rssMb }) => [at, rssMb])),
    filesPerMinute: 60_000 * slope(half.map(({ at, files }) => [at, files])),
    rssMb: last.rssMb,
    files: last.files,
  };
}

function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, one) => sum + one, 0) / values.length;
  const [x, y] = [mean(points.map(([one]) => one)), mean(points.map(([, one]) => one))];
  const over = points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0);
  const under = points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
  return under === 0 ? 0 : over / under;
}
