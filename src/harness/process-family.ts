import { readFileSync } from 'node:fs';

/** A process and all below it, itself first: a command for `sh` is a child of it. None where `/proc` does not tell of it. */
export function familyOf(pid: number): number[] {
  const children = childrenOf(pid);
  return children === null ? [] : [pid, ...children.flatMap(familyOf)];
}

function childrenOf(pid: number): number[] | null {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return null;
  }
}
