/**
 * How long a process starves. Linux tells of each thread how long it ran and how long it waited for a core (`schedstat`,
 * Documentation/scheduler/sched-stats.rst). While its own other threads ran the first one waited for them, and not for
 * somebody else: a proxy that takes the cores from itself is slow, and not starved.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { familyOf, PROC } from './process-family.ts';

/** What the scheduler knows of a process, milliseconds of its life. */
interface Scheduled {
  /** The first thread, which carries the exchanges, had no core for so long. */
  readonly waited: number;
  /** The other threads had one for so long. */
  readonly others: number;
}

export interface Starvation {
  /**
   * For how long the process, or the one of those below it that had it worst, was ready to run and had no core since this was
   * asked last, milliseconds; 0 where nobody tells, and of a process that was not there the last time.
   */
  take(pid: number | null): number;
}

/** Starts from nothing: the first answer is 0. */
export function watchStarvation(proc = PROC): Starvation {
  let before = new Map<number, Scheduled>();
  return {
    take(pid) {
      const now = new Map<number, Scheduled>();
      let most = 0;
      for (const one of pid === null ? [] : familyOf(pid, proc)) {
        const scheduled = scheduledOf(`${proc}/${one}/task`, one);
        if (scheduled === null) continue;
        const earlier = before.get(one) ?? scheduled;
        const waited = scheduled.waited - earlier.waited;
        // What a thread took is forgotten with it.
        most = Math.max(most, waited - Math.max(0, scheduled.others - earlier.others));
        // A wait is told once it is over: what the other threads do until then belongs to it.
        now.set(one, waited > 0 ? scheduled : earlier);
      }
      before = now;
      return most;
    },
  };
}

/** Null where nobody tells. */
function scheduledOf(tasks: string, pid: number): Scheduled | null {
  try {
    const threads = readdirSync(tasks).map((thread) => threadOf(tasks, thread));
    const first = threadOf(tasks, String(pid));
    return { waited: first.waited, others: threads.reduce((sum, { ran }) => sum + ran, 0) - first.ran };
  } catch {
    return null;
  }
}

/** How long a thread had a core, and waited for one; throws where that is not told. */
function threadOf(tasks: string, thread: string): { readonly ran: number; readonly waited: number } {
  const [ran, waited] = readFileSync(`${tasks}/${thread}/schedstat`, 'utf8').split(' ');
  return { ran: Number(ran) / 1e6, waited: Number(waited) / 1e6 };
}
