/**
 * Watches how late the machine itself is, so that a check which measures time need not take that for the proxy's doing: by how much
 * a timer of this process comes too late, and how long the target was ready to run and had no core. Linux tells the latter
 * (`/proc/PID/schedstat`, Documentation/scheduler/sched-stats.rst); elsewhere the timer alone does.
 */
import { readFileSync } from 'node:fs';

const EVERY_MS = 50;
/** What is less than this is usual, and within what the checks allow. */
const LEAST_MS = 25;

/** Calls `onLate` with the milliseconds that were lost since it looked last, where they are worth telling; until it is disposed of. */
export function watchMachine(pid: () => number | null, onLate: (ms: number) => void): Disposable {
  let due = performance.now() + EVERY_MS;
  let before = waitedBy(pid());
  const look = (): void => {
    const now = performance.now();
    const waited = waitedBy(pid());
    // Another process counts from nothing.
    const starved = waited !== null && waited.pid === before?.pid ? waited.ms - before.ms : 0;
    const ms = Math.round(Math.max(0, now - due) + starved);
    due = now + EVERY_MS;
    before = waited;
    if (ms >= LEAST_MS) onLate(ms);
  };
  const timer = setInterval(look, EVERY_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** How long the first thread of a process has waited for a core in its life; null where nobody tells. */
function waitedBy(pid: number | null): { readonly pid: number; readonly ms: number } | null {
  if (pid === null) return null;
  try {
    const [, nanoseconds] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
    return { pid, ms: Number(nanoseconds) / 1e6 };
  } catch {
    return null;
  }
}
