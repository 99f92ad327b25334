/** Processes that are never done, for tests of what happens where cores are scarce. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';

/** What keeps a core busy for ever. */
export const BUSY = 'for (;;);';

/** Twice as many as there are cores, each of which waits half of the time; `pid` is the process of one of them. */
export async function hungry(): Promise<AsyncDisposable & { readonly pid: number }> {
  const crowd = Array.from({ length: 2 * availableParallelism() }, () =>
    spawn(process.execPath, ['-e', BUSY], { stdio: 'ignore' }),
  );
  await Promise.all(crowd.map((one) => once(one, 'spawn')));
  return {
    pid: crowd[0]?.pid ?? 0,
    async [Symbol.asyncDispose]() {
      await Promise.all(crowd.map(end));
    },
  };
}

/** Waits until it is gone. */
export async function end(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
