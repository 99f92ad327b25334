import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { watchMachine } from './machine-watch.ts';

it('tells by how much this process came too late', async () => {
  const late: number[] = [];
  using watching = new DisposableStack();
  watching.use(
    watchMachine(
      () => null,
      (ms) => late.push(ms),
    ),
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
    // Twice as many of them as cores, all of them busy: each waits half of the time.
    const busy = Array.from({ length: 2 * availableParallelism() }, () =>
      spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
    );
    try {
      await Promise.all(busy.map((one) => once(one, 'spawn')));
      let late = 0;
      using watching = new DisposableStack();
      watching.use(
        watchMachine(
          () => busy[0]?.pid ?? null,
          (ms) => (late += ms),
        ),
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
