import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { check, openStoreToRead } from '../../config/store-files.ts';
import { createTestHost, type TestHost } from '../shared/testing/test-host.ts';
import { main } from './main.ts';
import { ask, startHttpUpstream, startServed, until } from './testing/served.ts';

/** More rounds for a person who has the time: `KILL_ROUNDS=50`. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 3);
const CLIENTS = 8;
/** Long enough that most of what was answered is older than the flush interval. */
const LOAD_MS = 1_500;
/** The flush interval, and for the batch under way to be on disk. */
const FLUSH_MS = 200;
const COMMIT_MS = 100;
/** A busy machine may come to nothing at all for so long. */
const STALLED_MS = 700;

async function keepAsking(url: string): Promise<void> {
  for (;;) {
    try {
      await ask(url, 'claude-haiku-4-5');
    } catch {
      return;
    }
  }
}

/** The completions in all logs: id, and the time at which it ended. */
function logged(host: TestHost): Map<string, number> {
  const folder = join(host.cwd, 'logs');
  const lines = readdirSync(folder)
    .filter((name) => name.startsWith('usage.jsonl'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'));
  const events = lines.filter(Boolean).map((line) => JSON.parse(line));
  return new Map(
    events.filter(({ event }) => event === 'completion').map(({ rid, ts }) => [rid, Date.parse(ts)]),
  );
}

const storePath = (host: TestHost): string => join(host.cwd, 'logs/ccp.sqlite3');

/** The rows of a store without a flaw: id, and the time at which the exchange ended. */
const stored = (host: TestHost): (readonly [rid: string, ts: number])[] => {
  using store = openStoreToRead(storePath(host));
  check(store.db);
  return [...store.samples.each({})].map(([rid, ts]) => [rid, ts]);
};

async function isStoring(url: string): Promise<void> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/^ccp_store_writes_total [1-9]/m);
}

/** When it was last written, by a proxy that was killed and before anybody opens it. */
const lastCommit = (host: TestHost): number => statSync(`${storePath(host)}-wal`).mtimeMs;

it(`killed ${ROUNDS} times under load, the store lacks only what waited for its next commit, and the log fills the gap`, {
  timeout: ROUNDS * 20_000,
}, async () => {
  using host = createTestHost();
  await using upstream = await startHttpUpstream();
  const env = {
    CCP_ANTHROPIC_BASE_URL: upstream.url,
    CCP_ZAI_BASE_URL: upstream.url,
    ZAI_API_KEY: 'z41',
    CCP_ROLLUP_INTERVAL: '300ms',
    MAX_LOG_BYTES: '1GiB',
  };
  for (let round = 0; round < ROUNDS; round++) {
    await using proxy = await startServed({ cwd: host.cwd, home: host.home, env });
    const before = round === 0 ? 0 : logged(host).size;
    const clients = Array.from({ length: CLIENTS }, () => keepAsking(proxy.url));
    await until('the load is on', () => logged(host).size > before);
    // On a busy machine SQLite takes seconds to load.
    await vi.waitFor(() => isStoring(proxy.url), { timeout: 15_000, interval: 50 });
    await sleep(LOAD_MS + ((round * 37) % 200));
    proxy.signal('SIGKILL');
    const killedAt = Date.now();
    await proxy.exited;
    await Promise.all(clients);

    const committedAt = lastCommit(host);
    const log = logged(host);
    const rows = stored(host);
    const known = new Set(rows.map(([rid]) => rid));
    expect(known.size).toBe(rows.length);
    expect(rows.length - before).toBeGreaterThan(0);
    const missing = [...log].flatMap(([rid, ts]) => (known.has(rid) ? [] : ts));
    const oldest = Math.min(killedAt, ...missing);
    // Whatever the machine was busy with: no gap before the newest row.
    expect(oldest).toBeGreaterThanOrEqual(Math.max(...rows.map(([, ts]) => ts)));
    expect(committedAt - oldest).toBeLessThan(FLUSH_MS + COMMIT_MS);
    expect(killedAt - oldest).toBeLessThan(FLUSH_MS + COMMIT_MS + STALLED_MS);

    expect(await main(['db', 'import', '--jsonl', 'logs/usage.jsonl', '--json'], host)).toBe(0);
    expect(JSON.parse(host.said().out)).toMatchObject({ added: missing.length, bad: { count: 0 } });
    expect(new Set(stored(host).map(([rid]) => rid))).toEqual(new Set(log.keys()));
    using store = openStoreToRead(storePath(host));
    const hours = store.rollups.read({ granularity: 'hour' });
    expect(hours.reduce((sum, { count }) => sum + count, 0)).toBe(log.size);
  }
});
