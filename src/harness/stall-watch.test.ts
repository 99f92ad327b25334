import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { watchStalls } from './stall-watch.ts';

it('tells how long nothing could run, once, and nothing of a process that runs', async () => {
  using watch = watchStalls();
  await sleep(600);
  expect(watch.take()).toBe(0);
  const until = performance.now() + 2_600;
  while (performance.now() < until);
  // By two hands: the timer comes first or the question does.
  await sleep(0);
  const stalled = watch.take();
  expect(stalled).toBeGreaterThan(2_000);
  expect(stalled).toBeLessThan(4_000);
  expect(watch.take()).toBe(0);
});
