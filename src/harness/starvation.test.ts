import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { familyOf } from './process-family.ts';
import { watchStarvation } from './starvation.ts';
import { BUSY, end, hungry } from './testing/hungry.ts';

/** What a process starved within two seconds, looked at as often as the machine is. */
async function starvedIn(pid: number): Promise<number> {
  const starvation = watchStarvation();
  expect(starvation.take(pid)).toBe(0);
  let total = 0;
  for (const until = performance.now() + 2_000; performance.now() < until; ) {
    await sleep(50);
    total += starvation.take(pid);
  }
  return total;
}

describe.skipIf(process.platform !== 'linux')('starvation', { timeout: 60_000 }, () => {
  it('is what a process waits for a core that others have', async () => {
    await using crowd = await hungry();
    expect(await starvedIn(crowd.pid)).toBeGreaterThan(400);
  });

  it('is found in the command that a shell waits for', async () => {
    await using _ = await hungry();
    await using shell = disposable(
      spawn('sh', ['-c', `trap : TERM\n"${process.execPath}" -e '${BUSY}'\ntrue`], { stdio: 'ignore' }),
    );
    await sleep(300);
    expect(await starvedIn(shell.pid)).toBeGreaterThan(400);
  });

  it('is none where the threads of the process itself have the cores', async () => {
    // So many that they have most of the time, whatever else goes on.
    const child = spawn(
      process.execPath,
      [
        '-e',
        `const { Worker } = require('node:worker_threads');
         const { once } = require('node:events');
         const workers = Array.from({ length: 16 }, () => new Worker('${BUSY}', { eval: true }));
         Promise.all(workers.map((one) => once(one, 'online'))).then(() => {
           require('node:fs').writeSync(1, 'busy');
           ${BUSY}
         });`,
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    await using busy = disposable(child);
    await once(child.stdout, 'data');
    expect(await starvedIn(busy.pid)).toBeLessThan(400);
  });

  it('is 0 of a process that is not there', () => {
    const starvation = watchStarvation();
    expect(starvation.take(null)).toBe(0);
    expect(starvation.take(2 ** 30)).toBe(0);
  });
});

function disposable(child: ReturnType<typeof spawn>): AsyncDisposable & { readonly pid: number } {
  const pid = child.pid ?? 0;
  return {
    pid,
    async [Symbol.asyncDispose]() {
      for (const below of familyOf(pid).slice(1)) process.kill(below, 'SIGKILL');
      await end(child);
    },
  };
}
