import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { check, openStoreToRead } from '../../config/store-files.ts';
import { createTestHost, type TestHost } from '../shared/testing/test-host.ts';
import { main } from './main.ts';
import { ask, startHttpUpstream, startServed, until } from './testing/served.ts';

/** More rounds for a person who has the time: `KILL_ROUNDS=50`. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 3);
const CLIENTS = 8;
/** Long enough that most of what was answered is older than the flush interval. */
const LOAD_MS = 1_500;
/** The flush interval, and what a busy machine may take to come to it. */
const FLUSH_MS = 200;
const LATE_MS = 800;

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

const stored = (host: TestHost): string[] => {
  using store = openStoreToRead(join(host.cwd, 'logs/ccp.sqlite3'));
  check(store.db);
  return [...store.samples.each({})].map(([rid]) => rid);
};

it(`killed ${ROUNDS} times under load, the store lacks only what the last flush interval brought, and the log fills the gap`, {
  timeout: ROUNDS * 10_000,
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
    await sleep(LOAD_MS + ((round * 37) % 200));
    proxy.signal('SIGKILL');
    const killedAt = Date.now();
    await proxy.exited;
    await Promise.all(clients);

    const log = logged(host);
    const rids = stored(host);
    const known = new Set(rids);
    expect(known.size).toBe(rids.length);
    const missing = [...log].filter(([rid]) => !known.has(rid)).map(([, ts]) => killedAt - ts);
    expect(Math.max(0, ...missing)).toBeLessThan(FLUSH_MS + LATE_MS);
    expect(rids.length - before).toBeGreaterThan(0);

    expect(await main(['db', 'import', '--jsonl', 'logs/usage.jsonl', '--json'], host)).toBe(0);
    expect(JSON.parse(host.said().out)).toMatchObject({ added: missing.length, bad: { count: 0 } });
    expect(new Set(stored(host))).toEqual(new Set(log.keys()));
    using store = openStoreToRead(join(host.cwd, 'logs/ccp.sqlite3'));
    const hours = store.rollups.read({ granularity: 'hour' });
    expect(hours.reduce((sum, { count }) => sum + count, 0)).toBe(log.size);
  }
});
