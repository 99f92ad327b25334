import { spawn } from 'node:child_process';
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
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

describe('what starvation is', () => {
  const PID = 7;
  /** One look at a process: how long its first thread had waited by then, and how long its second had run, milliseconds. */
  type Look = readonly [waited: number, othersRan: number];

  async function taken(looks: readonly Look[]): Promise<number[]> {
    await using folder = await mkdtempDisposable(path.join(tmpdir(), 'starvation-'));
    const tell = (thread: number, ran: number, waited: number) =>
      writeFile(path.join(folder.path, `7/task/${thread}/schedstat`), `${ran * 1e6} ${waited * 1e6} 12\n`);
    for (const thread of [PID, 8])
      await mkdir(path.join(folder.path, `7/task/${thread}`), { recursive: true });
    await writeFile(path.join(folder.path, '7/task/7/children'), '');
    const starvation = watchStarvation(folder.path);
    const all: number[] = [];
    for (const [waited, othersRan] of looks) {
      await tell(PID, 1_000, waited);
      await tell(8, othersRan, 5_000);
      all.push(Math.round(starvation.take(PID)));
    }
    return all;
  }

  it('begins with the first look', async () => {
    expect(
      await taken([
        [500, 0],
        [500, 0],
        [540, 0],
      ]),
    ).toEqual([0, 0, 40]);
  });

  it('is none while the process itself had the core in another thread', async () => {
    expect(
      await taken([
        [0, 0],
        [40, 40],
        [80, 110],
        [120, 120],
      ]),
    ).toEqual([0, 0, 0, 30]);
  });

  it('has taken off what the other threads did during all of a wait, which is told when it is over', async () => {
    expect(
      await taken([
        [0, 0],
        [0, 50],
        [0, 100],
        [150, 110],
      ]),
    ).toEqual([0, 0, 0, 40]);
  });

  it('does not grow where a thread ended and what it took is told no more', async () => {
    expect(
      await taken([
        [0, 900],
        [40, 0],
      ]),
    ).toEqual([0, 40]);
  });

  it('is 0 of a process that is not there', () => {
    const starvation = watchStarvation();
    expect(starvation.take(null)).toBe(0);
    expect(starvation.take(2 ** 30)).toBe(0);
  });
});
