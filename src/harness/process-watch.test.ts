import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { slopesOf, watchProcess } from './process-watch.ts';

const minute = (at: number, rssMb: number, files = 10) => ({ at: at * 60_000, rssMb, files });

describe('the slopes of a process', () => {
  it('are those of the second half of its life', () => {
    const climbing = [minute(0, 500), minute(1, 90), minute(2, 100), minute(3, 102), minute(4, 104, 13)];
    expect(slopesOf(climbing)).toMatchObject({ ms: 120_000, rssMb: 104, files: 13 });
    expect(slopesOf(climbing)?.rssMbPerMinute).toBeCloseTo(2, 6);
    expect(slopesOf(climbing)?.filesPerMinute).toBeCloseTo(1.5, 6);
  });

  it('are flat where there was time for one look alone, and nothing where there was none', () => {
    expect(slopesOf([minute(0, 90)])).toEqual({
      ms: 0,
      rssMb: 90,
      files: 10,
      rssMbPerMinute: 0,
      filesPerMinute: 0,
    });
    expect(slopesOf([])).toBeNull();
  });
});

describe('a process that is watched', () => {
  it('shows what it takes', { timeout: 10_000 }, async () => {
    await using watch = watchProcess(process.pid);
    while (watch.slopes() === null) await sleep(50);
    expect(watch.slopes()?.rssMb).toBeGreaterThan(10);
    expect(watch.slopes()?.files).toBeGreaterThan(2);
  });

  it('shows its sockets among its files', { timeout: 10_000 }, async () => {
    const sockets = async (): Promise<number> => {
      await using watch = watchProcess(process.pid);
      while (watch.seen().length === 0) await sleep(20);
      return watch.seen()[0]?.sockets ?? 0;
    };
    const before = await sockets();
    const servers = Array.from({ length: 5 }, () => createServer().listen(0, '127.0.0.1'));
    try {
      await Promise.all(servers.map((server) => once(server, 'listening')));
      expect((await sockets()) - before).toBe(5);
    } finally {
      for (const server of servers) server.close();
    }
  });

  it('shows what its children take, too', { timeout: 10_000 }, async () => {
    const hold = `${process.execPath} -e 'console.log(1); setTimeout(() => {}, 60000)'`;
    const shell = spawn('sh', ['-c', `trap : TERM\n${hold}`], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    try {
      await once(shell.stdout, 'data');
      await using watch = watchProcess(shell.pid ?? null);
      while (watch.seen().length === 0) await sleep(20);
      // Node; a shell alone has two or three.
      expect(watch.seen()[0]?.rssMb).toBeGreaterThan(20);
    } finally {
      process.kill(-(shell.pid ?? 0), 'SIGKILL');
    }
  });

  it('shows nothing where it is not there', async () => {
    await using gone = watchProcess(2 ** 22 + 1);
    await using nobody = watchProcess(null);
    await sleep(20);
    expect([gone.slopes(), nobody.slopes()]).toEqual([null, null]);
  });
});
