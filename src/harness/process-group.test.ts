import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runGroup, startGroup } from './process-group.ts';

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'group-'));
});
afterEach(() => rm(cwd, { recursive: true }));

const env = { PATH: process.env.PATH ?? '' };
const shell = (script: string) => ({ file: 'sh', args: ['-c', script], env, cwd });
/** A zombie counts as gone: whether orphans are reaped at once is the business of the machine's init. */
const isAlive = (pid: number) => {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
};
/** On a busy machine a program may take seconds to start. */
const PATIENCE = { timeout: 10_000, interval: 20 };
const untilGone = (pid: number) => vi.waitFor(() => expect(isAlive(pid)).toBe(false), PATIENCE);
const pidFrom = (file: string) =>
  vi.waitFor(async () => {
    const pid = Number(await readFile(path.join(cwd, file), 'utf8'));
    expect(pid).toBeGreaterThan(1);
    return pid;
  }, PATIENCE);

describe('runGroup', () => {
  it('gives exit code and both channels', async () => {
    const result = await runGroup({ ...shell('echo out; echo err >&2; exit 3'), timeoutMs: 5000 });
    expect(result).toMatchObject({ exitCode: 3, stdout: 'out\n', stderr: 'err\n', timedOut: false });
  });

  it('hands on no variable of its own environment', async () => {
    process.env.GROUP_TEST_SECRET = 'inherited';
    const { stdout } = await runGroup({ ...shell('env'), timeoutMs: 5000 });
    delete process.env.GROUP_TEST_SECRET;
    expect(stdout).not.toContain('inherited');
  });

  it('ends the whole group at the timeout, also a grandchild that ignores SIGTERM and holds the pipe', async () => {
    const running = runGroup({
      ...shell(
        `(trap '' TERM; echo $$ > leader; sh -c 'trap "" TERM; echo $$ > grandchild; sleep 60; sleep 60') & wait`,
      ),
      timeoutMs: 400,
      graceMs: 200,
    });
    const grandchild = await pidFrom('grandchild');
    expect(await running).toMatchObject({ timedOut: true });
    await untilGone(grandchild);
  });

  it('does not wait for a grandchild that outlives the leader, nor leave it behind, even if it ignores SIGTERM', async () => {
    const result = await runGroup({
      ...shell(`trap '' TERM; sleep 60 & echo $! > orphan; echo done`),
      timeoutMs: 10_000,
    });
    expect(result).toMatchObject({ exitCode: 0, stdout: 'done\n', timedOut: false });
    const orphan = await pidFrom('orphan');
    await untilGone(orphan);
  });

  it('keeps the newest output within its bound', async () => {
    const { stdout } = await runGroup({
      ...shell('i=0; while [ $i -lt 20000 ]; do echo line-$i; i=$((i+1)); done'),
      timeoutMs: 10_000,
      maxOutputBytes: 1000,
    });
    expect(stdout).toContain('line-19999\n');
    expect(stdout).toMatch(/^\[\d+ bytes dropped\]\n/);
    expect(stdout).not.toContain('line-10\n');
  });
});

describe('startGroup', () => {
  it('says NOT_READY where the program does not exist', async () => {
    await expect(startGroup({ file: path.join(cwd, 'nothing'), args: [], env, cwd })).rejects.toMatchObject({
      code: 'NOT_READY',
    });
  });

  it('stops when the signal aborts', async () => {
    const abort = new AbortController();
    await using group = await startGroup({ ...shell('sleep 60'), signal: abort.signal });
    abort.abort();
    expect(await group.exited).toEqual({ exitCode: null, signal: 'SIGTERM' });
  });

  it('does not start under a signal that has aborted', async () => {
    await expect(startGroup({ ...shell('touch started'), signal: AbortSignal.abort() })).rejects.toThrow(
      'abort',
    );
    await expect(readFile(path.join(cwd, 'started'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    'leaves nothing behind when the harness itself dies of %s',
    async (signal) => {
      const module = new URL('./process-group.ts', import.meta.url).href;
      const script = `
      const { startGroup } = await import(${JSON.stringify(module)});
      await startGroup({ file: 'sh', args: ['-c', 'trap "" TERM; echo $$ > child; sleep 60; sleep 60'], env: process.env, cwd: ${JSON.stringify(cwd)} });
      console.log('started');
      setInterval(() => {}, 1000);`;
      await using harness = await startGroup({
        file: process.execPath,
        args: ['--input-type=module', '-e', script],
        env,
        cwd,
      });
      const child = await pidFrom('child');
      await vi.waitFor(() => expect(harness.stdout()).toBe('started\n'), PATIENCE);
      process.kill(harness.pid, signal);
      await harness.exited;
      await untilGone(child);
    },
  );
});
