import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createTestHost } from '../shared/testing/test-host.ts';
import { ask, startHttpUpstream, startServed, until } from './testing/served.ts';

/** More rounds for a person who has the time: `KILL_ROUNDS=20`. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 5);
const CLIENTS = 16;
/** Answers before the kill: enough that a log which lags behind them is seen to. */
const LOAD = 10 * CLIENTS;

/** Asks one exchange after the other until the proxy is gone; counts the answers that came whole. */
async function keepAsking(url: string, count: () => void): Promise<void> {
  for (;;) {
    try {
      if ((await ask(url, 'claude-haiku-4-5')) === 200) count();
    } catch {
      return;
    }
  }
}

it(`killed ${ROUNDS} times under load, leaves a log that reads to its last whole line`, {
  timeout: ROUNDS * 6_000,
}, async () => {
  using host = createTestHost();
  await using upstream = await startHttpUpstream();
  const env = { CCP_ANTHROPIC_BASE_URL: upstream.url, CCP_ZAI_BASE_URL: upstream.url, ZAI_API_KEY: 'z41' };
  let answered = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await using proxy = await startServed({ cwd: host.cwd, home: host.home, env });
    const before = answered;
    const clients = Array.from({ length: CLIENTS }, () => keepAsking(proxy.url, () => answered++));
    await until('the load is on', () => answered - before >= LOAD);
    // Another moment each time, so that a kill strikes in the midst of whatever a record is made of.
    await sleep((round * 13) % 50);
    proxy.signal('SIGKILL');
    expect(await proxy.exited).toBeNull();
    await Promise.all(clients);
  }

  const lines = readFileSync(join(host.cwd, 'logs/usage.jsonl'), 'utf8').split('\n');
  const torn = lines.pop();
  const events = lines.map((line) => JSON.parse(line));
  const completed = events.filter(({ event }) => event === 'completion').map(({ rid }) => rid);
  expect(new Set(completed).size).toBe(completed.length);
  // An answer is recorded when its last byte is handed over: only those under way can be missing.
  expect(completed.length).toBeGreaterThanOrEqual(answered - ROUNDS * CLIENTS);
  expect(answered).toBeGreaterThanOrEqual(ROUNDS * LOAD);
  // One write a line: not even the kill tears one.
  expect(torn).toBe('');
});
