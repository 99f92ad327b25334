import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { check, openStoreToRead } from '../../config/store-files.ts';
import { createTestHost, type TestHost } from '../shared/testing/test-host.ts';
import { main } from './main.ts';
import { ask, startHttpUpstream, startServed, until } from './testing/served.ts';

const SIZE = 4 * 1024 * 1024;
const ASKED = 30;

/** A small file system at a folder of its own, gone with the test. */
function mountDisk(folder: string): Disposable & { readonly folder: string } {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'none', folder]);
  return { folder, [Symbol.dispose]: () => void execFileSync('umount', ['--lazy', folder]) };
}

/** Only a machine's owner may mount. */
function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'ccp-mount-'));
  try {
    if (spawnSync('mount', ['-t', 'tmpfs', 'none', folder]).status !== 0) return false;
    return spawnSync('umount', [folder]).status === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const stored = (path: string): number => {
  using store = openStoreToRead(path);
  check(store.db);
  return store.status().samples;
};

async function writeErrors(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^ccp_store_write_errors_total (\S+)$/m.exec(text)?.[1]);
}

const serve = (host: TestHost, upstream: string) =>
  startServed({
    cwd: host.cwd,
    home: host.home,
    env: {
      CCP_ANTHROPIC_BASE_URL: upstream,
      CCP_ZAI_BASE_URL: upstream,
      ZAI_API_KEY: 'z41',
      CCP_DB_PATH: join(host.cwd, 'disk/ccp.sqlite3'),
    },
  });

async function askAll(url: string): Promise<void> {
  for (let at = 0; at < ASKED; at += 1) expect(await ask(url, 'claude-sonnet-5')).toBe(200);
}

describe.skipIf(!mayMount())('a disk of its own for the store (needs the right to mount)', () => {
  it('that is full stops no exchange, is told of and counted, and what waited is written once there is room', async () => {
    using host = createTestHost();
    using disk = mountDisk(join(host.cwd, 'disk'));
    await using upstream = await startHttpUpstream();
    await using proxy = await serve(host, upstream.url);
    const path = join(disk.folder, 'ccp.sqlite3');
    await askAll(proxy.url);
    await until('they are stored', () => stored(path) === ASKED);

    const ballast = join(disk.folder, 'ballast');
    try {
      writeFileSync(ballast, Buffer.alloc(SIZE));
    } catch {
      // That is what it is for: it wrote as much as there was room.
    }
    await until('an attempt failed', async () => {
      await askAll(proxy.url);
      return (await writeErrors(proxy.url)) > 0;
    });
    await expect.poll(() => proxy.stderr()).toMatch(/store.*(?:full|disk)/i);
    const asked = upstream.seen.length;
    expect(stored(path)).toBeLessThan(asked);

    rmSync(ballast);
    await until('what waited is stored', () => stored(path) === asked);
  });

  it('that is read-only stops no start and no exchange, and is told of', async () => {
    using host = createTestHost();
    using disk = mountDisk(join(host.cwd, 'disk'));
    execFileSync('mount', ['-o', 'remount,ro', disk.folder]);
    await using upstream = await startHttpUpstream();
    await using proxy = await serve(host, upstream.url);
    await askAll(proxy.url);
    await expect.poll(() => proxy.stderr()).toMatch(/store.*read-only/i);
    await expect.poll(() => writeErrors(proxy.url)).toBeGreaterThan(0);
  });

  it('that is full ends an import and a merge with a sentence that names it, not a source', async () => {
    using host = createTestHost();
    using disk = mountDisk(join(host.cwd, 'disk'));
    const line = (id: number): string =>
      JSON.stringify({
        v: 1,
        event: 'sample',
        rid: `r${id}`,
        ts: '2026-01-02T03:04:05.678Z',
        lane: 'zai',
        provider: 'zai',
        model: 'm'.repeat(4_000),
        served_model: null,
        op: 'stream',
        decision: 'to_zai',
        reason: 'ok',
        status: 200,
        err_type: null,
        latency_ms: 1,
        ttfb_ms: null,
        stream_ms: null,
        tokens: null,
        bytes_in: 1,
        bytes_out: 1,
        attempts: 1,
        h2: null,
        header_mode: null,
      });
    const lines = Array.from({ length: 3_000 }, (_, id) => line(id));
    const path = host.write('logs/usage.jsonl', lines.join('\n'));
    const run = async (env: Record<string, string>, ...argv: string[]) => {
      const code = await main(['db', ...argv], { ...host, env: { ...host.env, ...env } });
      return { code, err: host.said().err };
    };
    expect(await run({}, 'import', '--jsonl', path)).toMatchObject({ code: 0 });
    const full = expect.stringMatching(/ccp: error: the disk of \S+\/disk\/\S+ is full/);
    const store = join(disk.folder, 'ccp.sqlite3');
    expect(await run({ CCP_DB_PATH: store }, 'import', '--jsonl', path)).toEqual({ code: 3, err: full });
    rmSync(store);
    vi.stubEnv('TMPDIR', disk.folder);
    expect(await run({}, 'merge', '--dir', 'logs')).toEqual({ code: 3, err: full });
    vi.unstubAllEnvs();
  });
});
