import { readFileSync } from 'node:fs';

/** Where Linux tells of its processes. */
export const PROC = '/proc';

/** A process and all below it, itself first: a command for `sh` is a child of it. None where `proc` does not tell of it. */
export function familyOf(pid: number, proc = PROC): number[] {
  const children = childrenOf(pid, proc);
  return children === null ? [] : [pid, ...children.flatMap((child) => familyOf(child, proc))];
}

function childrenOf(pid: number, proc: string): number[] | null {
  try {
    return readFileSync(`${proc}/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return null;
  }
}
