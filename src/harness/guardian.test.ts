import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';

const module = new URL('./guardian.ts', import.meta.url).href;

/** A zombie counts as gone. */
const isAlive = (pid: number) => {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
};

/** A process that has three groups watched, forgets the second, and waits. Gives their pids. */
async function startWatcher() {
  const script = `
    import { spawn } from 'node:child_process';
    const { callGuardian } = await import(${JSON.stringify(module)});
    const groups = [1, 2, 3].map(() => spawn('sleep', ['60'], { detached: true, stdio: 'ignore' }).pid);
    const guardian = callGuardian();
    for (const group of groups) guardian.watch(group);
    guardian.forget(groups[1]);
    process.stdout.write(groups.join(' ') + '\\n');
    setInterval(() => {}, 1000);`;
  const watcher = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(watcher.stdout, 'data');
  return { watcher, groups: String(line).trim().split(' ').map(Number) };
}

describe('the guardian', () => {
  it('kills the groups that it watches when its process is killed, and no group that it was told to forget', async () => {
    const { watcher, groups } = await startWatcher();
    expect(groups.map(isAlive)).toEqual([true, true, true]);
    watcher.kill('SIGKILL');
    await vi.waitFor(() => expect(groups.map(isAlive)).toEqual([false, true, false]), { timeout: 10_000 });
    process.kill(groups[1] ?? 0, 'SIGKILL');
  });

  it('keeps no process alive', () => {
    const script = `(await import(${JSON.stringify(module)})).callGuardian().watch(2 ** 30);`;
    const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 15_000,
    });
    expect(status).toBe(0);
  });
});
