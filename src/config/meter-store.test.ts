/** What quotas rest on is true of the store, and of the one in memory that their tests have in its place. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../features/quota/testing/memory-store.ts';
import { completionOf, sampleOf } from '../features/quota/testing/records.ts';
import type { LimitHit, MeterStore, Sample, SampleUse } from '../protocol/meter.ts';
import { OPS, REASONS } from '../protocol/usage-event.ts';
import { openStore } from '../store/store.ts';
import { makeStorePlace } from '../store/testing/place.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 5, 1, 12);

let stack: AsyncDisposableStack;
beforeEach(() => void (stack = new AsyncDisposableStack()));
afterEach(() => stack.disposeAsync());

function openReal(samples: readonly Sample[]): MeterStore {
  const { path } = stack.use(makeStorePlace());
  const store = openStore({
    path,
    flushMs: 20,
    ttlDays: 7,
    rollupMs: 24 * HOUR,
    clock: { now: () => NOW, monotonic: () => performance.now(), after: () => () => {} },
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  stack.use(store);
  for (const sample of samples) store.onCompletion(completionOf(sample));
  return store;
}

describe.each([
  ['the store', openReal],
  ['the store in memory', (samples: readonly Sample[]) => createMemoryStore([...samples])],
])('%s', (_, open) => {
  it('gives page by page what counts on some lanes since a time, newest first, each once', async () => {
    const kinds = OPS.flatMap((op) =>
      REASONS.flatMap((reason) => [0, 1].map((attempts) => ({ op, reason, attempts }))),
    );
    const samples = kinds.flatMap((kind, index) =>
      ['zai', 'local', 'anthropic'].map((lane, place) =>
        sampleOf(NOW - 3 * index - place, { ...kind, lane, latency_ms: index }),
      ),
    );
    const since = NOW - 3 * kinds.length + 4;
    const counts = ({ op, reason, attempts }: Sample): boolean =>
      (op === 'stream' || op === 'nonstream') && (attempts > 0 || reason === 'ok');
    const expected = samples.filter((one) => one.ts >= since && one.lane !== 'anthropic' && counts(one));
    expect((await all(open(samples), since)).map(({ rid }) => rid)).toEqual(expected.map(({ rid }) => rid));
  });

  it('gives of each what is counted', async () => {
    const sample = sampleOf(NOW - 5, { op: 'stream', stream_ms: 700, latency_ms: 900 });
    const { rid, ts, lane, model, latency_ms, stream_ms, tokens } = sample;
    const [use] = await all(open([sample]), 0);
    expect(use).toMatchObject({ rid, ts, lane, model, latency_ms, stream_ms, tokens });
  });

  it('knows of each lane and key the cooldown that was saved last', async () => {
    const store = open([]);
    const rest = { lane: 'zai', key: '*haiku*', until: NOW + HOUR, stated: 'reset' } as const;
    const other = { ...rest, key: 'glm-5', stated: 'default' } as const;
    for (const one of [rest, other, { ...rest, until: NOW }]) store.saveCooldown(one);
    expect((await store.cooldowns()).filter(({ until }) => until > NOW)).toEqual([other]);
  });

  it('gives the limit hits that tell something, oldest first', async () => {
    const store = open([]);
    const hits = [2, 1].map(
      (hours): LimitHit => ({
        rid: `r${hours}`,
        ts: NOW - hours * HOUR,
        lane: 'zai',
        key: '*haiku*',
        kind: 'window',
        rolling_pct: 90,
        weekly_pct: null,
        since_warn_s: 60,
        resets_at: null,
      }),
    );
    for (const hit of hits) store.saveLimitHit(hit);
    expect(await store.limitHits()).toEqual(hits);
  });
});

async function all(store: MeterStore, since: number): Promise<SampleUse[]> {
  const found: SampleUse[] = [];
  let cursor: string | null = null;
  do {
    const page = await store.history({ since, lanes: ['zai', 'local'], cursor });
    found.push(...page.uses);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return found;
}
