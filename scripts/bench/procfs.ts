/** What Linux's /proc knows of a process and of its living descendants. */
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second in /proc: fixed at 100 in the kernel's interface to user space on every current platform. */
const TICKS_PER_SECOND = 100;

/** Processor time used so far by a process, its living descendants and its children waited for, in microseconds. */
export function cpuMicros(pid: number): number {
  const ticks = tree(pid).reduce((sum, member) => sum + ticksOf(member), 0);
  return (ticks * 1e6) / TICKS_PER_SECOND;
}

export interface Memory {
  /** Resident memory in kilobytes. */
  readonly rssKb: number;
  /** The same with shared pages divided among their users; null where the kernel does not tell. */
  readonly pssKb: number | null;
}

/** Memory of a process and its living descendants. */
export function memory(pid: number): Memory {
  const parts = tree(pid).map(memoryOf);
  return parts.reduce((sum, part) => ({
    rssKb: sum.rssKb + part.rssKb,
    pssKb: sum.pssKb === null || part.pssKb === null ? null : sum.pssKb + part.pssKb,
  }));
}

/** proc(5): fields 14 to 17 are utime, stime, cutime and cstime; the name in field 2 may hold spaces and brackets. */
export function parseTicks(stat: string): number {
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return afterName.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
}

const ticksOf = (pid: number): number => parseTicks(readFileSync(`/proc/${pid}/stat`, 'utf8'));

function memoryOf(pid: number): Memory {
  const rss = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { rssKb: Number(rss ?? 0), pssKb: pssOf(pid) };
}

function pssOf(pid: number): number | null {
  try {
    const pss = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return pss === undefined ? null : Number(pss);
  } catch {
    return null;
  }
}

/** A child is listed under the thread that started it. */
function tree(pid: number): number[] {
  const lists = readdirSync(`/proc/${pid}/task`).map((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8'),
  );
  const children = lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
  return [pid, ...children.flatMap(tree)];
}
