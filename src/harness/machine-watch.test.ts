import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { watchMachine } from './machine-watch.ts';
import { hungry } from './testing/hungry.ts';

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

it('tells by how much this process came too late', async () => {
  const late: number[] = [];
  using _ = watchMachine(
    () => null,
    (ms) => late.push(ms),
  );
  await sleep(60);
  block(300);
  await vi.waitFor(() => expect(Math.max(...late)).toBeGreaterThan(200));
});

it.skipIf(process.platform !== 'linux')(
  'tells of a target that starves, and of no more than the time that went by where both of them wait',
  { timeout: 60_000 },
  async () => {
    await using crowd = await hungry();
    let late = 0;
    using machine = watchMachine(
      () => crowd.pid,
      (ms) => (late += ms),
    );
    const began = performance.now();
    for (let turn = 0; turn < 10; turn += 1) {
      block(300);
      await sleep(1);
    }
    expect(late).toBeGreaterThan(1_500);
    expect(late).toBeLessThanOrEqual(performance.now() - began);
    expect(machine.stoodStill()).toBe(0);
  },
);

it('sums up how long nothing could run, once it took two seconds', async () => {
  using machine = watchMachine(
    () => null,
    () => {},
  );
  await sleep(200);
  expect(machine.stoodStill()).toBe(0);
  block(2_600);
  // By two hands: the timer comes first or the question does.
  const stoodStill = machine.stoodStill();
  expect(stoodStill).toBeGreaterThan(2_000);
  expect(stoodStill).toBeLessThan(4_000);
  await sleep(60);
  expect(machine.stoodStill()).toBe(stoodStill);
});

it('tells nothing once it is disposed of', async () => {
  const late: number[] = [];
  const machine = watchMachine(
    () => null,
    (ms) => late.push(ms),
  );
  machine[Symbol.dispose]();
  block(2_200);
  await sleep(120);
  expect(late).toEqual([]);
  expect(machine.stoodStill()).toBe(0);
});
