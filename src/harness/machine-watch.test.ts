import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { watchMachine } from './machine-watch.ts';

it('tells by how much this process came too late', async () => {
  const late: number[] = [];
  using _watch = watchMachine(
    () => null,
    (ms) => late.push(ms),
  );
  await sleep(60);
  const until = performance.now() + 300;
  while (performance.now() < until);
  await vi.waitFor(() => expect(Math.max(...late)).toBeGreaterThan(200));
});

it.skipIf(process.platform !== 'linux')(
  'tells how long a process was ready to run and had no core',
  { timeout: 60_000 },
  async () => {
    // More of them than cores, all of them busy on one: each waits most of the time.
    const busy = Array.from({ length: 4 }, () =>
      spawn('taskset', ['-c', '0', process.execPath, '-e', 'for (;;);'], { stdio: 'ignore' }),
    );
    try {
      await Promise.all(busy.map((one) => once(one, 'spawn')));
      let late = 0;
      using _watch = watchMachine(
        () => busy[0]?.pid ?? null,
        (ms) => (late += ms),
      );
      await vi.waitFor(() => expect(late).toBeGreaterThan(500), { timeout: 30_000 });
    } finally {
      for (const one of busy) one.kill('SIGKILL');
    }
  },
);

it('tells nothing once it is disposed of', async () => {
  const late: number[] = [];
  watchMachine(
    () => null,
    (ms) => late.push(ms),
  )[Symbol.dispose]();
  const until = performance.now() + 150;
  while (performance.now() < until);
  await sleep(120);
  expect(late).toEqual([]);
});
