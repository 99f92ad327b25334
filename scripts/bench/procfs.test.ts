import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { cpuMicros, memory, parseTicks } from './procfs.ts';

it('reads the four times of a process whatever its name is', () => {
  const stat = '42 (a name) with) 7) S 1 42 42 0 -1 4194560 100 0 0 0 30 12 5 3 20 0 1 0 100 0 0';
  expect(parseTicks(stat)).toBe(30 + 12 + 5 + 3);
});

it('counts processor time that was used, also by children that still live, and their memory', async () => {
  const busy = 'while (process.cpuUsage().user < 200_000);';
  const child = spawn(process.execPath, ['-e', `${busy} console.log("done"); process.stdin.resume()`]);
  const before = cpuMicros(process.pid);
  await once(child.stdout, 'data');
  expect(cpuMicros(process.pid) - before).toBeGreaterThan(150_000);
  expect(memory(process.pid).rssKb).toBeGreaterThan(memory(child.pid ?? 0).rssKb);
  expect(memory(child.pid ?? 0).rssKb).toBeGreaterThan(10_000);
  const ended = once(child, 'exit');
  child.stdin.end();
  await ended;
});
