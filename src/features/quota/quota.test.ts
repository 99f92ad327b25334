import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LimitFacts } from '../../core/types.ts';
import { OperatorError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { PlacedBytes, PlacedFile } from '../../platform/placed-file.ts';
import type { UpstreamError } from '../../protocol/upstream-error.ts';
import { createQuota, type Quota, type QuotaOptions } from './quota.ts';
import { createMemoryStore } from './testing/memory-store.ts';
import { completionOf, sampleOf, tokens } from './testing/records.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 5, 1, 12);
const HAIKU = 'claude-haiku-4-5';
const ASK = { method: 'POST', path: '/v1/messages', op: 'stream', model: HAIKU } as const;

let now: number;
let said: string[];
let world: AsyncDisposableStack;
/** What waits for the clock, with how long. */
let waiting: { ms: number; go: () => void }[];
const clock: Clock = {
  now: () => now,
  monotonic: () => now,
  after(ms, go) {
    const one = { ms, go };
    waiting.push(one);
    return () => void waiting.splice(waiting.indexOf(one) >>> 0, 1);
  },
};
const pass = (): void => waiting.at(-1)?.go();
const say = (line: string): void => void said.push(line);

beforeEach(() => {
  now = START;
  said = [];
  waiting = [];
  world = new AsyncDisposableStack();
});
afterEach(() => world.disposeAsync());

const textFile = (text: string): PlacedFile => ({
  path: '/q.json',
  required: false,
  read: () => ({ state: 'used', bytes: Buffer.from(text) }),
});
const reload = (quota: Quota, text: string) => quota.reload(Buffer.from(text));
const haiku = (fields: string): string => `{"quotas": [{"model": "*haiku*", "lane": "zai", ${fields}}]}`;

function open(text: string | null, given: Partial<QuotaOptions> = {}): Quota {
  const quota = createQuota({
    files: text === null ? [] : [textFile(text)],
    alsoWatch: [],
    mode: 'block',
    store: createMemoryStore(),
    keptDays: 7,
    lanes: () => [
      { lane: 'anthropic', globs: ['*'] },
      { lane: 'zai', globs: ['*haiku*'] },
    ],
    known: { knownModels: [], nearestName: () => null },
    clock,
    log: { info: say, warn: say, error: say },
    ...given,
  });
  return world.use(quota);
}

/** One exchange, as the core would tell of it. */
function begin(quota: Quota, rid: string, lane = 'zai'): void {
  quota.onAttempt?.({ rid, lane, provider: lane, model: HAIKU, op: 'stream', decision: 'to_zai' });
}
function end(quota: Quota, rid: string, given: Parameters<typeof sampleOf>[1] = {}): void {
  quota.onCompletion?.(completionOf(sampleOf(now, { rid, ...given })));
}
function refuse(quota: Quota, error: Partial<UpstreamError>, given: Partial<LimitFacts> = {}): void {
  quota.onLimit?.({
    rid: 'r',
    lane: 'zai',
    provider: 'zai',
    model: HAIKU,
    op: 'stream',
    decision: 'quota_warn_attempt',
    error: { kind: 'window', errType: 'limit', cause: 'limit', ...error },
    sentOn: true,
    ms: 5,
    ...given,
  });
}

describe('a gate in mode block', () => {
  it('lets through what the budget has room for, counting what is under way', () => {
    const quota = open(haiku('"rolling": {"requests": 3}'));
    const passed: string[] = [];
    for (let index = 0; index < 10; index += 1) {
      if (quota.gate('zai', ASK).kind !== 'open') continue;
      begin(quota, `e${index}`);
      passed.push(`e${index}`);
    }
    expect(passed).toEqual(['e0', 'e1', 'e2']);
    end(quota, 'e0');
    expect(quota.gate('zai', ASK).kind).toBe('block');
    // One that nothing came of gives its room back.
    end(quota, 'e1', { attempts: 0, reason: 'blocked' });
    expect(quota.gate('zai', ASK).kind).toBe('open');
  });

  it('says when there is room again', () => {
    const quota = open(haiku('"rolling": {"requests": 1}'));
    end(quota, 'e');
    now += HOUR;
    const standing = quota.gate('zai', ASK);
    expect(standing.kind === 'block' && standing.opening()).toEqual({
      inMs: 4 * HOUR,
      at: now + 4 * HOUR,
      why: 'the rolling quota of requests for "*haiku*" on lane zai is used up',
    });
    now += 4 * HOUR;
    expect(quota.gate('zai', ASK).kind).toBe('open');
  });

  it('moves the room that is taken with the exchange, and gives it back once', () => {
    const both = `{"quotas": [{"model": "*", "lane": "zai", "rolling": {"requests": 9}},
      {"model": "*", "lane": "anthropic", "rolling": {"requests": 9}}]}`;
    const quota = open(both);
    const reserved = () => quota.views().map((view) => view.reserved.requests);
    begin(quota, 'e');
    begin(quota, 'e');
    expect(reserved()).toEqual([1, 0]);
    begin(quota, 'e', 'anthropic');
    expect(reserved()).toEqual([0, 1]);
    end(quota, 'e', { lane: 'anthropic' });
    end(quota, 'e', { lane: 'anthropic' });
    expect(reserved()).toEqual([0, 0]);
    expect(quota.views().map((view) => view.rolling.requests.used)).toEqual([0, 2]);
  });

  it('takes the room when another lane is planned, before that is tried', () => {
    const quota = open(`{"quotas": [{"model": "*", "lane": "anthropic", "rolling": {"requests": 1}}]}`);
    for (const rid of ['a', 'b']) begin(quota, rid);
    expect(quota.gate('anthropic', ASK).kind).toBe('open');
    const facts = { provider: 'anth', model: HAIKU, op: 'stream', decision: 'fallback_limit' } as const;
    quota.onPlan?.({ rid: 'a', lane: 'anthropic', ...facts });
    expect(quota.gate('anthropic', ASK).kind).toBe('block');
  });

  it('counts an exchange in every quota that names it, and is shut by any', () => {
    const quota = open(`{"quotas": [{"model": "*haiku*", "lane": "zai", "rolling": {"requests": 9}},
      {"model": "*", "lane": "zai", "rolling": {"requests": 2}}]}`);
    end(quota, 'a');
    end(quota, 'b', { model: 'claude-sonnet-5' });
    expect(quota.views().map((view) => view.rolling.requests.used)).toEqual([1, 2]);
    const models = ['*haiku*', '*'].entries();
    expect(quota.fills()).toEqual(
      [...models].map(([at, model]) => ({
        lane: 'zai',
        model,
        rolling_pct: [100 / 9, 100][at],
        weekly_pct: null,
        warns: at === 1,
        blocks: at === 1,
      })),
    );
    expect(quota.gate('zai', ASK).kind).toBe('block');
  });

  it.each([
    ['another lane', 'anthropic', ASK],
    ['another model', 'zai', { ...ASK, model: 'claude-sonnet-5' }],
    ['no model', 'zai', { ...ASK, model: null }],
    ['counting tokens, which is free', 'zai', { ...ASK, op: 'count_tokens' as const }],
  ])('is open to %s', (_, lane, facts) => {
    const quota = open(haiku('"rolling": {"requests": 1}'));
    end(quota, 'e');
    expect(quota.gate('zai', ASK).kind).toBe('block');
    expect(quota.gate(lane, facts).kind).toBe('open');
  });

  it('does not count what was free or never left', () => {
    const quota = open(haiku('"rolling": {"requests": 1}'));
    end(quota, 'a', { op: 'count_tokens' });
    end(quota, 'b', { attempts: 0, reason: 'too_large' });
    expect(quota.gate('zai', ASK).kind).toBe('open');
  });

  it('lets warnings and cooldowns alone', () => {
    const quota = open(haiku('"rolling": {"requests": 10}'));
    for (let index = 0; index < 9; index += 1) end(quota, `e${index}`);
    refuse(quota, {});
    expect(quota.gate('zai', ASK).kind).toBe('open');
    expect(quota.cooldowns()).toEqual([]);
  });
});

it('only counts in mode off', () => {
  const quota = open(haiku('"rolling": {"requests": 1}'), { mode: 'off' });
  end(quota, 'e');
  expect(quota.gate('zai', ASK).kind).toBe('open');
  expect(quota.views()[0]).toMatchObject({ rolling_pct: 100, warn: true, block: true });
});

describe('mode hybrid', () => {
  const hybrid = (text: string | null, given: Partial<QuotaOptions> = {}) =>
    open(text, { mode: 'hybrid', ...given });

  it('goes on past warning and cap, and says so', () => {
    const quota = hybrid(haiku('"rolling": {"requests": 10}'));
    for (let index = 0; index < 7; index += 1) end(quota, `e${index}`);
    expect(quota.gate('zai', ASK).kind).toBe('open');
    for (let index = 0; index < 20; index += 1) end(quota, `f${index}`);
    expect(quota.gate('zai', ASK).kind).toBe('warn');
  });

  it('leaves a lane alone until the stated reset, and comes back', () => {
    const store = createMemoryStore();
    const quota = hybrid(haiku('"rolling": {"requests": 10}'), { store });
    refuse(quota, { resetsAt: START + HOUR });
    expect(quota.gate('zai', ASK).kind).toBe('cooldown');
    expect(quota.gate('anthropic', ASK).kind).toBe('open');
    expect(quota.views()[0]?.cooldown_until).toBe(START + HOUR);
    expect(store.cool).toEqual([{ lane: 'zai', key: '*haiku*', until: START + HOUR, stated: 'reset' }]);
    expect(said.at(-1)).toBe(
      'lane zai is left alone for "*haiku*" until 2026-06-01T13:00:00.000Z (its upstream stated the reset)',
    );
    now = START + HOUR;
    expect(quota.gate('zai', ASK).kind).toBe('open');
  });

  it('leaves alone just the model where no quota names it', () => {
    const quota = hybrid(null);
    refuse(quota, {}, { decision: 'to_zai' });
    expect(quota.cooldowns()).toMatchObject([{ key: HAIKU, until: START + 5 * MINUTE }]);
    expect(quota.gate('zai', ASK).kind).toBe('cooldown');
    expect(quota.gate('zai', { ...ASK, model: 'claude-haiku-3' }).kind).toBe('open');
  });

  it('knows after a restart what was stated before it', async () => {
    const store = createMemoryStore();
    refuse(hybrid(null, { store }), { resetsAt: START + HOUR });
    const quota = hybrid(null, { store });
    expect(quota.gate('zai', ASK).kind).toBe('open');
    await quota.load();
    expect(quota.gate('zai', ASK).kind).toBe('cooldown');
    now += HOUR;
    expect(quota.gate('zai', ASK).kind).toBe('open');
  });

  it('tries a lane again when a command ends its cooldown, also after a restart', async () => {
    const store = createMemoryStore();
    const quota = hybrid(null, { store });
    refuse(quota, { resetsAt: START + HOUR });
    expect(quota.endCooldowns({ lane: 'other' })).toEqual([]);
    expect(quota.endCooldowns({ lane: 'zai' })).toMatchObject([{ key: HAIKU, until: START + HOUR }]);
    expect(quota.gate('zai', ASK).kind).toBe('open');
    expect(store.cool.at(-1)).toEqual({ lane: 'zai', key: HAIKU, until: START, stated: 'reset' });
    expect(said.at(-1)).toBe(`lane zai is not left alone any more for "${HAIKU}"`);
    const later = hybrid(null, { store });
    await later.load();
    expect(later.cooldowns()).toEqual([]);
  });

  it('takes no cooldown from the store that its clock cannot have set, and the other modes none at all', async () => {
    const store = createMemoryStore();
    store.cool.push({ lane: 'zai', key: HAIKU, until: START + 3650 * 24 * HOUR, stated: 'default' });
    const quota = hybrid(null, { store });
    await quota.load();
    expect(quota.cooldowns()).toEqual([]);
    expect(quota.gate('zai', ASK).kind).toBe('open');
    store.cool.push({ lane: 'zai', key: HAIKU, until: START + HOUR, stated: 'default' });
    const block = open(haiku('"rolling": {"requests": 1}'), { store });
    await block.load();
    expect(block.cooldowns()).toEqual([]);
    expect(block.views()[0]?.cooldown_until).toBeNull();
  });

  it.each([
    ['is not left alone where nobody took over', { kind: 'window' }, { sentOn: false }, 'open'],
    ['is not left alone for counting tokens', { kind: 'window' }, { op: 'count_tokens' }, 'open'],
    [
      'is not left alone for a throttle without a stated wait',
      { kind: 'throttle' },
      { decision: 'to_zai' },
      'open',
    ],
    ['is left alone for one past the warning', { kind: 'throttle' }, {}, 'cooldown'],
    [
      'is left alone for one that states its wait',
      { kind: 'throttle', retryAfterMs: 9 },
      { decision: 'to_zai' },
      'cooldown',
    ],
    ['is left alone for an empty balance', { kind: 'balance' }, { decision: 'to_zai' }, 'cooldown'],
  ] as const)('a lane %s', (_, error, given, kind) => {
    const quota = hybrid(null);
    refuse(quota, error, given);
    expect(quota.gate('zai', ASK).kind).toBe(kind);
  });
});

describe('a limit hit', () => {
  it('is kept with how full it looked and how long after the warning it came, and calibrates', () => {
    const store = createMemoryStore();
    const quota = open(haiku('"rolling": {"requests": 10}, "weekly": {"requests": 100}'), { store });
    for (let index = 0; index < 9; index += 1) {
      end(quota, `e${index}`);
      now += MINUTE;
    }
    refuse(quota, { resetsAt: now + HOUR });
    expect(store.hits).toEqual([
      {
        rid: 'r',
        ts: now,
        lane: 'zai',
        key: '*haiku*',
        kind: 'window',
        rolling_pct: 90,
        weekly_pct: 9,
        since_warn_s: 120,
        resets_at: now + HOUR,
      },
    ]);
    expect(quota.views()[0]).toMatchObject({
      warn_pct_auto: 81,
      warn_pct_confidence: 0.25,
      gap_seconds_p50: 120,
      gap_samples: 1,
    });
  });

  it('is one hit for as long as the upstream refuses, whatever the mode', () => {
    const store = createMemoryStore();
    const quota = open(null, { store, mode: 'off' });
    for (let index = 0; index < 50; index += 1) refuse(quota, { resetsAt: START + HOUR });
    expect(store.hits).toHaveLength(1);
    expect(store.hits[0]).toMatchObject({ rolling_pct: null, since_warn_s: null, key: HAIKU });
    now += HOUR;
    refuse(quota, {});
    expect(store.hits).toHaveLength(2);
  });

  it('is not forgotten for a flood of throttles, which are few hits however little they ask to wait', () => {
    const store = createMemoryStore();
    const quota = open(haiku('"rolling": {"requests": 10}'), { store });
    for (let index = 0; index < 9; index += 1) end(quota, `e${index}`);
    refuse(quota, {});
    now += HOUR;
    for (let index = 0; index < 3000; index += 1) {
      refuse(quota, { kind: 'throttle', retryAfterMs: 0 });
      now += 1;
    }
    expect(store.hits.map(({ kind }) => kind)).toEqual(['window', 'throttle']);
    expect(quota.views()[0]).toMatchObject({ warn_pct_auto: 81, warn_pct_confidence: 0.25 });
    // Nor for names that a client makes up.
    for (let index = 0; index < 3000; index += 1) refuse(quota, {}, { model: `m${index}` });
    expect(quota.views()[0]).toMatchObject({ warn_pct_auto: 81 });
  });

  it('of a window is one although throttles came before it', () => {
    const store = createMemoryStore();
    const quota = open(null, { store });
    refuse(quota, { kind: 'throttle' });
    refuse(quota, {});
    expect(store.hits.map(({ kind }) => kind)).toEqual(['throttle', 'window']);
  });

  it('is a new one where the end of the one before lies in a future that never came', () => {
    const store = createMemoryStore();
    const quota = open(null, { store });
    now += 3650 * 24 * HOUR;
    refuse(quota, {});
    now = START;
    refuse(quota, {});
    expect(store.hits).toHaveLength(2);
  });

  it('is remembered over a restart', async () => {
    const store = createMemoryStore();
    const text = haiku('"rolling": {"requests": 1}');
    const before = open(text, { store });
    end(before, 'e');
    refuse(before, {});
    const quota = open(text, { store });
    await quota.load();
    expect(quota.views()[0]).toMatchObject({ warn_pct_auto: 90 });
  });

  it('shows beside our count what the upstream says of its own', () => {
    const quota = open(haiku('"rolling": {"requests": 1}'));
    const attempt = {
      rid: 'e',
      lane: 'zai',
      provider: 'zai',
      model: HAIKU,
      op: 'stream',
      decision: 'to_zai',
    } as const;
    quota.onAnswer?.({
      ...attempt,
      status: 200,
      headers: ['anthropic-ratelimit-unified-5h-utilization', '0.5'],
    });
    refuse(quota, { retryAfterMs: 1000 });
    expect(quota.views()[0]?.provider_limits).toMatchObject({
      windows: [{ name: '5h', used_pct: 50 }],
      refused: { kind: 'window', until: START + 1000 },
    });
    expect(quota.providerLimits()).toHaveLength(1);
  });
});

describe('windows', () => {
  it('are rebuilt from the store, each exchange once, though new ones end meanwhile', async () => {
    const samples = Array.from({ length: 7 }, (_, index) => sampleOf(START - index * 24 * HOUR));
    const strangers = [
      sampleOf(START, { lane: 'anthropic' }),
      sampleOf(START, { model: 'claude-sonnet-5' }),
      sampleOf(START, { op: 'count_tokens' }),
      sampleOf(START, { attempts: 0, reason: 'blocked' }),
      sampleOf(START - 8 * 24 * HOUR),
    ];
    const both = sampleOf(START);
    const store = createMemoryStore([...samples, ...strangers, both]);
    const quota = open(haiku('"weekly": {"requests": 100}'), { store });
    let pages = 0;
    store.onPage = () => {
      pages += 1;
      // Ends now, and is already in a page that is still to come.
      if (pages === 1) quota.onCompletion?.(completionOf(both));
    };
    await quota.load();
    await vi.waitFor(() => expect(quota.rebuilding()).toBe(false));
    expect(quota.views()[0]).toMatchObject({
      rolling: { requests: { used: 2 } },
      weekly: { requests: { used: 8 } },
    });
    expect(said).toContain('quota windows rebuilt: 7 exchanges of the last seven days');
  });

  it('are asked for until the store answers, from the place where it stopped; until then they say so', async () => {
    const store = createMemoryStore(Array.from({ length: 5 }, (_, index) => sampleOf(START - index * HOUR)));
    let [works, pages] = [true, 0];
    store.onPage = () => {
      pages += 1;
      works = pages === 1;
      if (pages > 1 && pages < 5)
        throw new OperatorError('NOT_READY', 'disk on fire', { hint: 'Put it out.' });
    };
    const quota = open(haiku('"weekly": {"requests": 6}'), { store });
    void quota.load();
    await vi.waitFor(() => expect(pages).toBe(2));
    expect(works).toBe(false);
    end(quota, 'e');
    for (const [index, waits] of [500, 1000, 2000].entries()) {
      await vi.waitFor(() => expect([pages, waiting.at(-1)?.ms]).toEqual([index + 2, waits]));
      expect([quota.rebuilding(), quota.rebuildTrouble()]).toEqual([true, 'disk on fire. Put it out.']);
      expect(quota.views()[0]?.weekly.requests.used).toBe(3);
      pass();
    }
    await vi.waitFor(() => expect(quota.rebuilding()).toBe(false));
    expect(quota.views()[0]?.weekly.requests.used).toBe(6);
    expect(quota.gate('zai', ASK).kind).toBe('block');
    expect(quota.rebuildTrouble()).toBe(null);
    expect(said).toEqual([
      'quota windows rebuilt: 5 exchanges of the last seven days',
      expect.stringMatching(/^the weekly quota of requests .+ is used up until 2026-06-08T/),
    ]);
  });

  it('are rebuilt without a word where the store has nothing', async () => {
    const quota = open(haiku('"weekly": {"requests": 6}'));
    await quota.load();
    expect([quota.rebuilding(), said]).toEqual([false, []]);
  });

  it('take cooldowns and what was learned, too, once the store answers', async () => {
    const store = createMemoryStore();
    refuse(open(null, { store, mode: 'hybrid' }), { resetsAt: START + HOUR });
    let asked = 0;
    store.limitHits = async () => {
      asked += 1;
      if (asked <= 2) throw new Error('no table');
      return [];
    };
    said = [];
    const quota = open(null, { store, mode: 'hybrid' });
    void quota.load();
    for (const [index, waits] of [500, 1000].entries()) {
      await vi.waitFor(() => expect([asked, waiting.at(-1)?.ms]).toEqual([index + 1, waits]));
      expect(quota.gate('zai', ASK).kind).toBe('open');
      pass();
    }
    await vi.waitFor(() => expect(quota.gate('zai', ASK).kind).toBe('cooldown'));
    // No trouble that an operator could mend: it may be a fault of ours.
    expect(said).toEqual([expect.stringMatching(/and tries again: Error: no table\n +at /)]);
  });

  it('are counted anew once the store has more, with what ends and what is under way meanwhile', async () => {
    const store = createMemoryStore([sampleOf(START)]);
    const quota = open(haiku('"weekly": {"requests": 10}'), { store });
    await quota.load();
    begin(quota, 'under way');
    const live = sampleOf(START);
    store.kept.push(...Array.from({ length: 5 }, (_, index) => sampleOf(START - index * HOUR)), live);
    let pages = 0;
    store.onPage = () => {
      pages += 1;
      // What is not in any page that is still to come.
      if (pages === 6) end(quota, 'late');
      if (pages !== 2) return;
      quota.onCompletion?.(completionOf(live));
      // Somebody imports once more, while the first page is read.
      store.kept.push(sampleOf(START - 6 * HOUR));
      quota.recount();
      expect([quota.rebuilding(), quota.views()[0]?.weekly.requests.used]).toEqual([true, 2]);
    };
    quota.recount();
    await vi.waitFor(() => expect(quota.rebuilding()).toBe(false));
    expect(quota.views()[0]).toMatchObject({ weekly: { requests: { used: 9 } }, reserved: { requests: 1 } });
    end(quota, 'under way');
    expect(quota.views()[0]).toMatchObject({ weekly: { requests: { used: 10 } }, reserved: { requests: 0 } });
  });

  it('do not become emptier where the store lost what was counted', async () => {
    const store = createMemoryStore([sampleOf(START), sampleOf(START)]);
    const quota = open(haiku('"weekly": {"requests": 2}'), { store });
    await quota.load();
    store.kept.pop();
    quota.recount();
    await vi.waitFor(() => expect(quota.rebuilding()).toBe(false));
    expect(quota.gate('zai', ASK).kind).toBe('block');
  });

  it('are counted anew for others that were taken over in the middle of it', async () => {
    const store = createMemoryStore([sampleOf(START), sampleOf(START)]);
    const quota = open(haiku('"weekly": {"requests": 9}'), { store });
    await quota.load();
    store.kept.push(sampleOf(START));
    let pages = 0;
    store.onPage = () => {
      pages += 1;
      if (pages === 1) reload(quota, haiku('"weekly": {"requests": 3}'));
    };
    quota.recount();
    await vi.waitFor(() => expect(quota.gate('zai', ASK).kind).toBe('block'));
    expect(quota.views()[0]?.weekly.requests).toMatchObject({ used: 3, cap: 3 });
  });

  it('are let go of when the proxy ends in the middle of it', async () => {
    const store = createMemoryStore([sampleOf(START), sampleOf(START), sampleOf(START)]);
    const quota = open(haiku('"rolling": {"requests": 9}'), { store });
    let pages = 0;
    store.onPage = async () => {
      pages += 1;
      if (pages === 1) await quota[Symbol.asyncDispose]();
    };
    await quota.load();
    await vi.waitFor(() => expect(quota.rebuilding()).toBe(false));
    expect(quota.views()[0]?.rolling.requests.used).toBe(0);
  });
});

describe('what a quota does now', () => {
  const does = (quota: Quota): string => {
    const [fill] = quota.fills();
    return fill?.blocks === true ? 'blocks' : fill?.warns === true ? 'warns' : 'passes';
  };

  it.each([
    ['block', 'blocks'],
    ['hybrid', 'warns'],
    ['off', 'warns'],
  ] as const)('is by its own per cents, and in mode %s what the gate does', (mode, atItsEnd) => {
    const quota = open(haiku('"rolling": {"requests": 8}, "warn_pct": 50, "block_pct": 75'), { mode });
    const seen: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      const isShut = quota.gate('zai', ASK).kind === 'block';
      expect([index, does(quota) === 'blocks']).toEqual([index, isShut]);
      seen.push(does(quota));
      if (!isShut) end(quota, `e${index}`);
    }
    expect(seen).toEqual(['passes', 'passes', 'passes', 'passes', 'warns', 'warns', atItsEnd]);
  });

  it('counts what is under way', () => {
    const quota = open(haiku('"rolling": {"requests": 2}'));
    begin(quota, 'a');
    begin(quota, 'b');
    expect([does(quota), quota.gate('zai', ASK).kind]).toEqual(['blocks', 'block']);
  });

  it('is nothing past a cap that block_pct lies beyond', () => {
    const quota = open(haiku('"rolling": {"requests": 2}, "block_pct": 200'));
    for (const rid of ['a', 'b', 'c']) end(quota, rid);
    expect(does(quota)).toBe('warns');
  });
});

describe('a glob that was mistyped', () => {
  const haku = '{"quotas": [{"model": "*haku*", "lane": "zai", "weekly": {"requests": 1}}]}';
  const warning = expect.stringContaining(`none of the models seen there so far matches ("${HAIKU}")`);

  it('is told of once another model came through its lane', () => {
    const quota = open(haku, { lanes: () => [{ lane: 'zai', globs: ['*'] }] });
    end(quota, 'free', { op: 'count_tokens' });
    expect(quota.warnings()).toEqual([]);
    end(quota, 'e');
    expect(quota.warnings()).toEqual([warning]);
  });

  it('is told of where the store knows of one', async () => {
    const store = createMemoryStore([sampleOf(START)]);
    const quota = open(haku, { store, lanes: () => [{ lane: 'zai', globs: ['*'] }] });
    await quota.load();
    expect(quota.warnings()).toEqual([warning]);
  });

  it('is not told of where so many came that some are not known', () => {
    const quota = open(haku, { lanes: () => [{ lane: 'zai', globs: ['*'] }] });
    for (let index = 0; index < 100; index += 1) end(quota, `e${index}`, { model: `m${index}` });
    expect(quota.warnings()).toEqual([]);
  });
});

describe('what an operator is told of a budget', () => {
  it('is that it warns, that it is used up and until when, and that it has room again, once each', () => {
    const quota = open(haiku('"rolling": {"requests": 10}'));
    for (let index = 0; index < 12; index += 1) {
      end(quota, `e${index}`);
      now += MINUTE;
    }
    expect(said).toEqual([
      'the quota for "*haiku*" on lane zai is 80% used',
      'the rolling quota of requests for "*haiku*" on lane zai is used up until 2026-06-01T17:00:00.000Z',
    ]);
    // At the edge it opens and shuts with each exchange, of which nobody wants to hear.
    now = START + 5 * HOUR + 2.5 * MINUTE;
    pass();
    end(quota, 'more');
    now += MINUTE;
    end(quota, 'still');
    expect(said).toHaveLength(2);
    // Nobody asks for anything.
    now += HOUR;
    pass();
    expect(said.slice(2)).toEqual(['the quota for "*haiku*" on lane zai has room again: it is 20% used']);
    // The timer that passed was the last.
    expect(waiting).toHaveLength(2);
    for (let index = 0; index < 6; index += 1) end(quota, `f${index}`);
    expect(said.slice(3)).toEqual(['the quota for "*haiku*" on lane zai is 80% used']);
  });

  it.each(['off', 'hybrid'] as const)('is no time of an end in mode %s, where more come', (mode) => {
    const quota = open(haiku('"rolling": {"requests": 1}'), { mode });
    end(quota, 'e');
    expect(said).toEqual(['the rolling quota of requests for "*haiku*" on lane zai is used up']);
  });

  it('is not repeated while it stands at the edge of its warning', () => {
    const quota = open(haiku('"rolling": {"requests": 20}'));
    for (let index = 0; index < 16; index += 1) {
      end(quota, `e${index}`);
      now += MINUTE;
    }
    for (now = START + 5 * HOUR + 1; now < START + 5 * HOUR + 10 * MINUTE; now += MINUTE) {
      pass();
      end(quota, `f${now}`);
    }
    expect(said).toEqual(['the quota for "*haiku*" on lane zai is 80% used']);
  });

  it.each([
    [8, 7, '88%'],
    [1000, 996, '99%'],
  ])('is of %d the same for %d as the views show', (requests, ended, pct) => {
    const quota = open(
      haiku(`"rolling": {"requests": ${requests}}, "warn_pct": ${requests === 8 ? 80 : 99.6}`),
    );
    for (let index = 0; index < ended; index += 1) end(quota, `e${index}`);
    expect(said).toEqual([`the quota for "*haiku*" on lane zai is ${pct} used`]);
  });

  it('is not repeated after a reload, and is over with the quota', async () => {
    const quota = open(haiku('"rolling": {"requests": 1}'));
    await quota.load();
    end(quota, 'e');
    said = [];
    reload(quota, haiku('"rolling": {"requests": 1}, "warn_pct": 70'));
    expect(said).toEqual(['quotas taken over: 1, sent by a command']);
    reload(quota, haiku('"rolling": {"requests": 100}'));
    expect(said.slice(-2)).toEqual([
      'quotas taken over: 1, sent by a command',
      expect.stringContaining('has room again: it is 1% used'),
    ]);
    end(quota, 'f');
    reload(quota, haiku('"rolling": {"requests": 2}'));
    said = [];
    reload(quota, '{"quotas": []}');
    now += 6 * HOUR;
    pass();
    expect(said).toEqual(['quotas taken over: none, sent by a command']);
  });
});

describe('a reload', () => {
  it('changes caps and keeps what was counted and is under way', async () => {
    const quota = open(haiku('"rolling": {"requests": 10}'));
    await quota.load();
    end(quota, 'a');
    begin(quota, 'b');
    expect(reload(quota, haiku('"rolling": {"requests": 2}'))).toEqual({ ok: true, file: null, quotas: 1 });
    expect(quota.file).toBeNull();
    expect(quota.gate('zai', ASK).kind).toBe('block');
    expect(quota.views()[0]).toMatchObject({ rolling_pct: 50, reserved: { requests: 1 } });
    end(quota, 'b');
    expect(quota.views()[0]).toMatchObject({ rolling_pct: 100, reserved: { requests: 0 } });
  });

  it.each([
    ['a longer window', '"rolling": {"span": "6h", "requests": 10}'],
    ['another way of counting', '"rolling": {"requests": 10}, "count_cache_reads": true'],
    ['a glob of its own', '"rolling": {"requests": 10}', '*'],
  ])(
    'to %s never lets more through than the cap, with what is under way',
    async (_, fields, glob = '*haiku*') => {
      const quota = open(haiku('"rolling": {"requests": 10}'));
      await quota.load();
      for (let index = 0; index < 10; index += 1) begin(quota, `e${index}`);
      reload(quota, haiku(fields).replace('*haiku*', glob));
      expect(quota.gate('zai', ASK).kind).toBe('block');
      expect(quota.views()[0]?.reserved.requests).toBe(10);
      for (let index = 0; index < 10; index += 1) end(quota, `e${index}`);
      expect(quota.views()[0]).toMatchObject({ rolling_pct: 100, reserved: { requests: 0 } });
    },
  );

  it('to another span counts at once what that holds', async () => {
    const quota = open(haiku('"rolling": {"span": "1h", "requests": 10}'));
    await quota.load();
    end(quota, 'a');
    now += 2 * HOUR;
    end(quota, 'b');
    const used = () => quota.views()[0]?.rolling.requests.used;
    expect(used()).toBe(1);
    reload(quota, haiku('"rolling": {"span": "6h", "requests": 2}'));
    expect([quota.rebuilding(), used(), quota.gate('zai', ASK).kind]).toEqual([false, 2, 'block']);
    reload(quota, haiku('"rolling": {"span": "30m", "requests": 2}'));
    now += HOUR;
    expect(used()).toBe(0);
  });

  it('that caps a lane for the first time counts what is under way there', async () => {
    const quota = open(null);
    await quota.load();
    begin(quota, 'e');
    reload(quota, haiku('"rolling": {"requests": 1}'));
    expect(quota.gate('zai', ASK).kind).toBe('block');
  });

  it('of the file counts anew what the store has', async () => {
    const store = createMemoryStore();
    const quota = open(haiku('"rolling": {"requests": 2}'), { store });
    await quota.load();
    store.kept.push(sampleOf(START - HOUR), sampleOf(START));
    expect(quota.reload()).toMatchObject({ ok: true });
    await vi.waitFor(() => expect(quota.gate('zai', ASK).kind).toBe('block'));
  });

  it('fills a quota that is new from the store', async () => {
    const store = createMemoryStore([sampleOf(START - HOUR)]);
    const quota = open(null, { store });
    await quota.load();
    reload(quota, haiku('"rolling": {"requests": 2}'));
    await vi.waitFor(() => expect(quota.views()[0]?.rolling.requests.used).toBe(1));
  });

  it('that is bad keeps what was, and says why', () => {
    const quota = open(haiku('"rolling": {"requests": 1}'));
    end(quota, 'e');
    expect(reload(quota, '{"quotas": [{"lane": "zai"}]}')).toEqual({
      ok: false,
      why: 'the quotas sent:1:13: quotas[0].model: must be a glob like "*haiku*"',
    });
    expect(quota.file).toBe('/q.json');
    expect(quota.gate('zai', ASK).kind).toBe('block');
  });

  it('tells of a lane that is not there', async () => {
    const quota = open('{"quotas": [{"model": "*", "lane": "zia", "weekly": {"requests": 1}}]}');
    await quota.load();
    const warning =
      'the quota for "*" on lane zia in /q.json counts nothing: there is no lane zia (there are anthropic, zai)';
    expect(said).toContain(warning);
    expect(quota.warnings()).toEqual([warning]);
    reload(quota, '{"quotas": [{"model": "*", "lane": "zai", "weekly": {"requests": 1}}]}');
    expect(quota.warnings()).toEqual([]);
  });
});

describe('a quota file', () => {
  const placed = (path: string, text: PlacedBytes): PlacedFile => ({
    path,
    required: false,
    read: () => text,
  });

  it('counts alone: the first that is there and may be believed', () => {
    const quota = open(null, {
      files: [
        placed('/a', { state: 'ignored', why: '/a is not trusted' }),
        placed('/b', { state: 'absent' }),
        placed('/c', { state: 'used', bytes: Buffer.from(haiku('"weekly": {"requests": 1}')) }),
        placed('/d', { state: 'used', bytes: Buffer.from('{') }),
      ],
    });
    expect(quota.file).toBe('/c');
    expect(said).toEqual(['/a is not trusted']);
  });

  it('stops the start where it is wrong, or named and missing', () => {
    expect(() => open('{')).toThrow('/q.json:1:2: it is no JSON');
    const files = [{ path: '/x', required: true, read: () => ({ state: 'absent' as const }) }];
    expect(() => open(null, { files })).toThrow('there is no quota file /x');
  });

  it('is followed; one that is spoiled changes nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ccp-quota-'));
    world.defer(() => rmSync(folder, { recursive: true }));
    const [path, trust] = [join(folder, 'quotas.json'), join(folder, 'trusted.json')];
    let reads = 0;
    let text = haiku('"rolling": {"requests": 1}');
    const write = (next: string): void => {
      text = next;
      writeFileSync(path, next);
    };
    write(text);
    const quota = open(null, {
      files: [
        { path, required: true, read: () => ((reads += 1), { state: 'used', bytes: Buffer.from(text) }) },
      ],
      alsoWatch: [trust],
      lookEveryMs: 5,
    });
    await quota.load();
    end(quota, 'e', { tokens: tokens({ input: 1 }) });
    write(haiku('"rolling": {"requests": 4}'));
    await vi.waitFor(() => expect(quota.views()[0]?.rolling_pct).toBe(25));
    // What was sent stands until the file says something else: here only its spaces change, and then what else is watched.
    reload(quota, haiku('"rolling": {"requests": 8}'));
    write(haiku('"rolling":   {"requests": 4}'));
    writeFileSync(trust, 'trusted');
    const looks = reads;
    await vi.waitFor(() => expect(reads).toBeGreaterThan(looks));
    expect(quota.views()[0]?.rolling_pct).toBe(12.5);
    write(haiku('"rolling": {"requests": 2}'));
    await vi.waitFor(() => expect(quota.views()[0]?.rolling_pct).toBe(50));
    write(haiku('"rolling": {"requests": 4}'));
    await vi.waitFor(() => expect(quota.views()[0]?.rolling_pct).toBe(25));
    write('{"quotas": 1}');
    await vi.waitFor(() => expect(said.at(-1)).toContain('quotas not taken over, the ones before stay: '));
    expect(said.at(-1)).toContain(`${path}:1:2: quotas`);
    expect(quota.views()[0]?.rolling_pct).toBe(25);
  });

  it('says of its quotas where they come from, and that there is none any more', async () => {
    let found: PlacedBytes = { state: 'used', bytes: Buffer.from(haiku('"weekly": {"requests": 1}')) };
    const quota = open(null, { files: [{ path: '/q.json', required: false, read: () => found }] });
    found = { state: 'absent' };
    expect(quota.reload()).toMatchObject({ ok: true, file: null });
    found = { state: 'used', bytes: Buffer.from(haiku('"weekly": {"requests": 2}')) };
    expect(quota.reload()).toMatchObject({ ok: true, file: '/q.json' });
    expect(said).toEqual([
      'quotas taken over: none, as there is no file any more',
      'quotas taken over: 1, from /q.json',
    ]);
  });

  describe('that is refused', () => {
    let text: string;
    let quota: Quota;
    const good = haiku('"rolling": {"requests": 4}');
    beforeEach(() => {
      text = good;
      const read = (): PlacedBytes => ({ state: 'used', bytes: Buffer.from(text) });
      quota = open(null, { files: [{ path: '/q.json', required: true, read }] });
      now += MINUTE;
      text = '{';
      expect(quota.reload().ok).toBe(false);
    });
    const told = () => quota.refused?.why ?? null;
    const refusal = expect.stringContaining('/q.json:1:2: it is no JSON');

    it('is told of until it is read without a mistake', () => {
      expect(told()).toEqual(refusal);
      expect(quota.file).toBe('/q.json');
      text = good;
      quota.reload();
      expect(told()).toBeNull();
      expect(quota.warnings()).toEqual([]);
    });

    it('is told of with the moment at which it was found so, and what holds with when it was taken over', () => {
      const since = START + MINUTE;
      expect(quota).toMatchObject({
        since: START,
        refused: { since, why: expect.stringContaining('no JSON') },
      });
      now += MINUTE;
      text = '[]';
      quota.reload();
      expect(quota).toMatchObject({
        since: START,
        refused: { since, why: expect.stringContaining('an object') },
      });
      text = good;
      quota.reload();
      expect(quota).toMatchObject({ since: now, refused: null });
    });

    it('makes what is doubtful that of the earlier content', () => {
      text = '{"quotas": [{"model": "*", "lane": "zia", "weekly": {"requests": 1}}]}';
      quota.reload();
      text = '{';
      quota.reload();
      expect(quota.warnings()[0]).toContain('on lane zia in the earlier /q.json counts nothing');
      expect(quota.views()).toEqual([expect.objectContaining({ idle: 'no_lane' })]);
    });

    it('is followed by what is doubtful of the content that mends it, not of the earlier one', async () => {
      await quota.load();
      text = '{"quotas": [{"model": "*", "lane": "zia", "weekly": {"requests": 1}}]}';
      quota.reload();
      expect(said).toContainEqual(expect.stringContaining('on lane zia in /q.json counts nothing'));
    });

    it('stays so where others were sent, and is not so for others that were sent in vain', () => {
      reload(quota, good);
      expect(told()).toEqual(refusal);
      text = good;
      quota.reload();
      reload(quota, '{');
      expect(told()).toBeNull();
    });
  });

  it('that was spoiled is told of until it says again what counts', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ccp-quota-'));
    world.defer(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'quotas.json');
    const good = haiku('"rolling": {"requests": 4}');
    writeFileSync(path, good);
    const read = (): PlacedBytes => ({ state: 'used', bytes: readFileSync(path) });
    const quota = open(null, { files: [{ path, required: true, read }], lookEveryMs: 5 });
    writeFileSync(path, `${good}]`);
    await vi.waitFor(() => expect(quota.refused?.why).toContain(`${path}:1:`));
    writeFileSync(path, good);
    await vi.waitFor(() => expect(quota.refused).toBeNull());
  });

  it('with a window that a restart cuts short is warned of, as it is loaded and later', async () => {
    const quota = open(haiku('"weekly": {"requests": 4}'), { keptDays: 1 });
    await quota.load();
    const warning = expect.stringContaining('the last day of its weekly window after a restart');
    expect(said).toContainEqual(warning);
    expect(quota.warnings()).toEqual([warning]);
    reload(quota, haiku('"rolling": {"requests": 4}'));
    expect(quota.warnings()).toEqual([]);
  });
});
