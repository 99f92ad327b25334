/** The meter's endpoints over the store that they read, which only this room may put together. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { OperatorError } from '../errors.ts';
import { createPrices } from '../features/pricing/bill.ts';
import { PRICE_LIST } from '../features/pricing/price-list.ts';
import { createPricing } from '../features/pricing/pricing.ts';
import {
  diversionsAnswer,
  endedAnswer,
  quotasAnswer,
  rollupsAnswer,
  samplesAnswer,
  simAnswer,
  usageAnswer,
} from '../features/usage/answers.ts';
import { MAX_READERS } from '../features/usage/live-feed.ts';
import { openApi } from '../features/usage/openapi.ts';
import {
  HOUR,
  NOW,
  prices,
  quotaView,
  quotaWorld,
  startUsageWorld,
  stillClock,
  zai,
} from '../features/usage/testing/usage-world.ts';
import { usageEventSchema } from '../protocol/usage-event.ts';
import { createNoStore } from '../store/no-store.ts';
import { openStore } from '../store/store.ts';
import { makeStorePlace } from '../store/testing/place.ts';

const VIEW = quotaView();

type Part = Parameters<typeof startUsageWorld>[1];

let close = async (): Promise<void> => {};
afterEach(() => close());

/** The endpoints over a store of their own. */
function startStored(part?: Part) {
  const place = makeStorePlace();
  const store = openStore({
    path: place.path,
    flushMs: 200,
    ttlDays: 7,
    rollupMs: HOUR,
    clock: stillClock,
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  close = async () => {
    close = async () => {};
    await store[Symbol.asyncDispose]();
    place[Symbol.dispose]();
  };
  return startUsageWorld(store, part);
}

/** The endpoints where nothing is kept, for what no store has a part in. */
const startStoreless = (part?: Part) => startUsageWorld(createNoStore('nowhere'), part);

describe('GET /v1/usage', () => {
  it('prices the tokens of each model by the one that served it', async () => {
    const priced: (string | null)[] = [];
    const { ask, keep } = startStored({
      prices: {
        ...prices,
        chargeOf(use) {
          priced.push(use.servedModel ?? null);
          return prices.chargeOf(use);
        },
      },
    });
    keep(0, { served_model: 'glm-4.7' });
    keep(0, { served_model: 'glm-4.5-air' });
    expect((await ask('GET', '/v1/usage')).status).toBe(200);
    expect(new Set(priced)).toEqual(new Set(['glm-4.7', 'glm-4.5-air']));
  });

  it('sums models and lanes over whole hours, and says what they cost', async () => {
    const { ask, keep } = startStored();
    keep(0, { sse: { events: 1, chunks: 1, bytes: 1, duration_ms: 10_000, max_gap_ms: 1, finished: true } });
    keep(2 * HOUR, { lane: 'anthropic', latency_ms: 1_000 });
    keep(2 * HOUR, { lane: 'anthropic', model: 'claude-opus-4-8', status: 529, reason: 'upstream_error' });
    // In the hour of which `since` is the second half.
    keep(24 * HOUR + 1_700_000);
    keep(25 * HOUR);
    const { status, body } = await ask('GET', '/v1/usage');
    expect(status).toBe(200);
    const usage = usageAnswer.parse(body);
    expect(usage).toMatchObject({
      generated_at: '2026-11-02T12:30:00.000Z',
      since: '2026-11-01T12:00:00.000Z',
      until: '2026-11-02T12:30:00.000Z',
      total: { requests: 4, errors: 1, unpriced_tokens: 300, cost_usd: 3 },
      lanes: {
        zai: { requests: 2, cost_usd: null, unpriced_tokens: 300, tokens: { cache_write_1h: 100 } },
        anthropic: { requests: 2, cost_usd: 3, unpriced_tokens: 0, duration_ms: 4_000, stream_ms: 4_000 },
      },
    });
    expect(usage.models).toMatchObject({
      'claude-haiku-4-5': {
        requests: 3,
        lanes: { zai: { requests: 2 }, anthropic: { requests: 1 } },
        // 60 tokens in 14 s of streams.
        tps_elr: 60 / 14,
        // The earliest of equally busy hours, and the only one that streamed for ten seconds.
        peak_hour: { start: '2026-11-01T12:00:00.000Z', tokens: 150 },
        fastest_hour: { start: '2026-11-02T12:00:00.000Z', tps: 2 },
        rolling_pct: null,
      },
      'claude-opus-4-8': { requests: 1, errors: 1 },
    });
  });

  it('shows at each model the fullest of its quotas, and a quota that nothing was counted for', async () => {
    const weekly = { ...VIEW, model: 'claude-haiku-*', rolling_pct: null, weekly_pct: 91, warn: true };
    const views = [VIEW, weekly, { ...VIEW, model: 'glm-*' }];
    const elsewhere = { ...VIEW, lane: 'local', rolling_pct: 99 };
    const quota = quotaWorld({ views: () => [...views, elsewhere] });
    const { ask, keep } = startStored({ quota });
    keep(0);
    const { models } = usageAnswer.parse((await ask('GET', '/v1/usage')).body);
    expect(models['claude-haiku-4-5']).toMatchObject({
      rolling_pct: null,
      weekly_pct: 91,
      warn: true,
      eta_seconds: 900,
      warn_pct_auto: 72,
      warn_pct_confidence: 0.5,
      gap_samples: 3,
    });
    expect(models['glm-*']).toMatchObject({ requests: 0, cost_usd: 0, rolling_pct: 70, tps_elr: 12 });
    expect(Object.keys(models)).toEqual(['claude-haiku-4-5', 'glm-*', '*haiku*']);
  });

  it('counts requests that name no model apart, and takes any name for no more than a name', async () => {
    const { ask, keep } = startStored();
    keep(0, { model: null });
    keep(0, { model: 'null' });
    keep(0, { model: '__proto__' });
    keep(0, { model: 'constructor' });
    const { models, total } = usageAnswer.parse((await ask('GET', '/v1/usage')).body);
    expect(total.requests).toBe(4);
    expect(models['null']?.requests).toBe(1);
    expect(models['(none)']?.requests).toBe(1);
    expect(models['constructor']?.requests).toBe(1);
  });

  it('calls no error what its client went away from', async () => {
    const { ask, keep } = startStored();
    keep(0, { reason: 'client_abort' });
    keep(0, { reason: 'timeout' });
    expect(usageAnswer.parse((await ask('GET', '/v1/usage')).body).total).toMatchObject({
      requests: 2,
      errors: 1,
    });
  });

  it('takes a range', async () => {
    const { ask, keep } = startStored();
    keep(5 * HOUR);
    keep(0);
    const requests = async (query: string) =>
      usageAnswer.parse((await ask('GET', `/v1/usage?${query}`)).body).total.requests;
    expect(await requests('since=-6h')).toBe(2);
    expect(await requests('since=-1h')).toBe(1);
    expect(await requests('since=-6h&until=-2h')).toBe(1);
    expect(await requests(`since=${NOW / 1000}`)).toBe(1);
    expect(await requests('since=2026-11-02T14:00:00Z')).toBe(0);
  });
});

describe('the cost of a time', () => {
  const DAY = 24 * HOUR;
  const listed = createPrices(createPricing(PRICE_LIST));
  /** Prices of two models changed on 7 October. */
  const models = ['claude-sonnet-5-5', 'claude-haiku-5-5', 'claude-opus-4-8', 'nobody', null] as const;
  const served = [null, 'claude-sonnet-5-5', 'glm-4.7', 'glm-99'] as const;
  const kept = Array.from({ length: 500 }, (_, n) => ({
    ago: (n * 7_919 * 60_000) % (40 * DAY),
    model: models[n % models.length] ?? null,
    lane: n % 3 === 0 ? 'zai' : 'anthropic',
    served_model: served[n % served.length] ?? null,
    tokens: {
      input: n + 1,
      output: 3 * n,
      cache_read: 1_000 * n,
      cache_write_5m: 7 * n,
      cache_write_1h: n % 5,
    },
  }));

  it('is what each exchange cost on its day, however the time lies to days and changes of prices', async () => {
    const { ask, keep } = startStored({ prices: listed });
    for (const { ago, served_model, ...rest } of kept)
      keep(ago, { ...rest, ...(served_model !== null && { served_model }) });
    const ago = fc.integer({ min: 0, max: 41 * 24 * 60 }).map((minutes) => NOW - minutes * 60_000);
    await fc.assert(
      fc.asyncProperty(ago, ago, async (one, other) => {
        const [since, until] = [Math.min(one, other), Math.max(one, other)];
        const query = new URLSearchParams({ since: String(since / 1000), until: String(until / 1000) });
        const answer = usageAnswer.parse((await ask('GET', `/v1/usage?${query.toString()}`)).body);
        const [from, end] = [Date.parse(answer.since), Date.parse(answer.until)];
        expect([from <= since, until <= end, since - from < HOUR, end - until < HOUR]).toEqual(
          Array(4).fill(true),
        );
        const bill = listed.open();
        for (const { ago: age, served_model: servedModel, ...rest } of kept) {
          const at = NOW - age;
          if (at >= from && at < end) bill.add(listed.chargeOf({ ...rest, servedModel, uncounted: 0, at }));
        }
        expect(answer.total).toMatchObject(bill.sum());
      }),
      { numRuns: 40 },
    );
  });

  it('of more names than an answer tells of is refused, and says what to ask instead', async () => {
    const asked: unknown[] = [];
    const nothing = createNoStore('nowhere');
    const spans: typeof nothing.spans = async (query) => {
      asked.push(query);
      throw new OperatorError('USAGE', 'more than 10000 sums', { hint: 'Ask for less.' });
    };
    const { ask } = startUsageWorld(
      { ...nothing, spans },
      { prices: { ...prices, changes: [Date.parse('2026-10-07')] } },
    );
    expect(await ask('GET', '/v1/usage?since=2026-10-01T10:20:00Z')).toMatchObject({
      status: 400,
      body: { error: { message: 'ccp: more than 10000 sums. Ask for less.' } },
    });
    const since = Date.parse('2026-10-01T10:00:00Z');
    expect(asked).toEqual([{ since, until: NOW, cuts: [Date.parse('2026-10-07')], limit: 10_000 }]);
  });
});

describe('a range', () => {
  const written = fc.oneof(
    fc
      .tuple(fc.nat({ max: 999_999_999 }), fc.constantFrom('s', 'm', 'h', 'd'))
      .map(([n, unit]) => `-${n}${unit}`),
    fc.nat({ max: 9_999_999_999_999 }).map(String),
    fc
      .date({
        min: new Date('-000001-01-01T00:00:00Z'),
        max: new Date('+010001-01-01T00:00:00Z'),
        noInvalidDate: true,
      })
      .map((date) => date.toISOString()),
    fc.constantFrom('0000-01-01T00:00:00+14:00', '9999-12-31T23:59:59-14:00', '9999-12-31'),
  );

  it('that is taken is one that the answer can write', async () => {
    const { ask } = startStoreless();
    await fc.assert(
      fc.asyncProperty(written, written, async (since, until) => {
        const query = new URLSearchParams({ since, until }).toString();
        const { status, body } = await ask('GET', `/v1/usage?${query}`);
        if (status === 200) usageAnswer.parse(body);
        else expect(status).toBe(400);
      }),
    );
  });

  it('ends with the hour in which it is told to end, and says so', async () => {
    const { ask, keep } = startStored();
    keep(2 * HOUR + 60_000);
    const { total, until } = usageAnswer.parse(
      (await ask('GET', '/v1/usage?until=2026-11-02T10:00:01Z')).body,
    );
    expect([total.requests, until]).toEqual([1, '2026-11-02T11:00:00.000Z']);
    const before = usageAnswer.parse((await ask('GET', '/v1/usage?until=2026-11-02T10:00:00Z')).body);
    expect([before.total.requests, before.until]).toEqual([0, '2026-11-02T10:00:00.000Z']);
  });

  it.each(['usage?', 'usage/samples?', 'usage/rollups?granularity=hour&'])(
    'that ends before it begins is refused, and never answered with nothing: /v1/%s',
    async (path) => {
      const { ask, keep } = startStored();
      keep(2 * HOUR);
      const message = async (query: string) =>
        z
          .object({ error: z.object({ message: z.string() }) })
          .parse((await ask('GET', `/v1/${path}${query}`)).body).error.message;
      expect(await message('since=-1h&until=-5h')).toBe(
        'ccp: until: allowed is a time that is not before since (2026-11-02T11:30:00.000Z)',
      );
      // Within one hour, too.
      expect(await message('since=2026-11-02T10:20:00Z&until=2026-11-02T10:10:00Z')).toContain(
        'not before since',
      );
      expect((await ask('GET', `/v1/${path}since=-2h&until=-2h`)).status).toBe(200);
    },
  );

  it('that ends before the last 24 hours needs a beginning', async () => {
    const { ask } = startStored();
    expect(await ask('GET', '/v1/usage?until=-3d')).toMatchObject({
      status: 400,
      body: {
        error: {
          message:
            'ccp: until: allowed is a time that is not before since, which is 24 hours ago where it is left out (2026-11-01T12:30:00.000Z)',
        },
      },
    });
  });
});

describe('GET /v1/usage/samples', () => {
  it('pages through every sample once, newest first', async () => {
    const { ask, keep } = startStored();
    const kept = Array.from({ length: 25 }, (_, n) => keep(n * 1000));
    const rids: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const more = cursor === null ? '' : `&cursor=${cursor}`;
      const page = samplesAnswer.parse((await ask('GET', `/v1/usage/samples?limit=10${more}`)).body);
      rids.push(...page.samples.map(({ rid }) => rid));
      cursor = page.next_cursor;
      pages += 1;
    } while (cursor !== null);
    expect(pages).toBe(3);
    expect(rids).toEqual(kept);
  });

  it('refuses a cursor that only the store can judge, as it says', async () => {
    expect(await startStored().ask('GET', '/v1/usage/samples?cursor=abc')).toMatchObject({
      status: 400,
      body: {
        error: {
          message:
            'ccp: cursor: not one that a page named. Take next_cursor of the page before as it is, or leave it out for the first page.',
        },
      },
    });
  });

  it('takes lane, model and a range; a time is written as in the log', async () => {
    const { ask, keep } = startStored();
    keep(0);
    keep(2 * HOUR, { lane: 'anthropic', model: 'm' });
    const found = async (query: string) =>
      samplesAnswer.parse((await ask('GET', `/v1/usage/samples?${query}`)).body).samples;
    expect(await found('')).toHaveLength(2);
    expect(await found('lane=anthropic')).toMatchObject([{ model: 'm', ts: '2026-11-02T10:30:00.000Z' }]);
    expect(await found('model=m&lane=zai')).toEqual([]);
    expect(await found('since=-1h')).toHaveLength(1);
    expect(await found('until=2026-11-02T10:30:00Z')).toEqual([]);
  });
});

describe('GET /v1/usage/diversions', () => {
  const told = async (ask: ReturnType<typeof startUsageWorld>['ask'], query = '') =>
    diversionsAnswer.parse((await ask('GET', `/v1/usage/diversions${query}`)).body);

  it('tells of the hours that the usage counts what did not go by its route', async () => {
    const { ask, keep } = startStored();
    const diverted = { decision: 'quota_block', lane: 'anthropic', model: 'm' } as const;
    keep(1, diverted);
    // In the hour of which `since` is the second half.
    keep(24 * HOUR + 1_700_000, diverted);
    keep(25 * HOUR, diverted);
    keep(1);
    const usage = usageAnswer.parse((await ask('GET', '/v1/usage')).body);
    expect(await told(ask)).toEqual({
      since: usage.since,
      until: usage.until,
      looked_at: usage.total.requests,
      oldest: new Date(NOW - 24 * HOUR - 1_700_000).toISOString(),
      diversions: [{ ...diverted, count: 2, refused: 0 }],
      others: 0,
    });
    expect((await told(ask, '?since=-2d')).diversions).toEqual([{ ...diverted, count: 3, refused: 0 }]);
  });

  it('tells nothing where nothing is kept, and refuses what it does not know', async () => {
    const { ask } = startStoreless();
    expect(await told(ask)).toMatchObject({ looked_at: 0, oldest: null, diversions: [] });
    expect(await ask('GET', '/v1/usage/diversions?lane=zai')).toMatchObject({ status: 400 });
    expect(await ask('GET', '/v1/usage/diversions?since=-1h&until=-2h')).toMatchObject({ status: 400 });
  });
});

describe('GET /v1/usage/rollups', () => {
  it('asks for so many at most, and says what to do where there are more', async () => {
    const limits: (number | undefined)[] = [];
    const nothing = createNoStore('nowhere');
    const rollups: typeof nothing.rollups = async ({ limit }) => {
      limits.push(limit);
      throw new OperatorError('USAGE', 'more than 10000 rollups: ask for a shorter time');
    };
    const { ask } = startUsageWorld({ ...nothing, rollups });
    expect(await ask('GET', '/v1/usage/rollups?granularity=hour')).toMatchObject({
      status: 400,
      body: { error: { message: 'ccp: more than 10000 rollups: ask for a shorter time' } },
    });
    expect(limits).toEqual([10_000]);
  });

  it('gives hours or days', async () => {
    const { ask, keep } = startStored();
    keep(0);
    keep(HOUR);
    keep(24 * HOUR, { lane: 'anthropic' });
    const found = async (query: string) =>
      rollupsAnswer.parse((await ask('GET', `/v1/usage/rollups?${query}`)).body).rollups;
    expect(await found('granularity=hour')).toHaveLength(3);
    expect(await found('granularity=day&since=2026-11-03')).toEqual([]);
    // The day in which it lies is the first.
    expect(await found('granularity=day&since=-12h')).toMatchObject([
      { start: '2026-11-02T00:00:00.000Z', count: 2, latency_p50: 3012, ttfb_p95: 399.5 },
    ]);
    expect(await found('granularity=day&lane=anthropic')).toMatchObject([{ count: 1 }]);
  });
});

describe('an argument that is not allowed', () => {
  it.each([
    ['GET', '/v1/usage?since=yesterday', 'since: allowed is epoch seconds'],
    ['GET', '/v1/usage?since=1767366245000', 'since: allowed is epoch seconds (not milliseconds)'],
    ['GET', '/v1/usage?until=-999999d', 'until: allowed is epoch seconds'],
    ['GET', '/v1/usage?from=-1h', 'from: not known here; allowed is since, until'],
    ['GET', '/v1/usage?since=-1h&since=-2h', 'since stands there twice'],
    ['GET', '/v1/usage/samples?limit=0', 'limit: allowed is a whole number from 1 to 1000'],
    ['GET', '/v1/usage/samples?limit=1001', 'limit: allowed is a whole number from 1 to 1000'],
    ['GET', '/v1/usage/samples?limit=ten', 'limit: allowed is a whole number from 1 to 1000'],
    ['GET', '/v1/usage/samples?cursor=%00', 'cursor: allowed is a next_cursor as it was answered'],
    ['GET', '/v1/usage/samples?model=', 'model: allowed is a name of 1 to 500 characters'],
    ['GET', '/v1/usage/rollups', 'granularity: allowed is one of hour, day'],
    ['GET', '/v1/usage/rollups?granularity=week', 'granularity: allowed is one of hour, day'],
    ['GET', '/v1/usage/live?since=-1h', 'since: not known here; allowed is no arguments'],
    ['GET', '/v1/quotas?x=1', 'x: not known here; allowed is no arguments'],
    ['POST', '/v1/dev/sim-usage', 'the body is no object; allowed are model, in, out, repeat, seconds'],
    ['POST', '/v1/dev/sim-usage {', 'the body is no object; allowed are model, in, out, repeat, seconds'],
    ['POST', '/v1/dev/sim-usage {"model":"m","in":-1,"out":1}', 'in: allowed is a whole number from 0 to'],
    ['POST', '/v1/dev/sim-usage {"model":"m","in":1}', 'out: allowed is a whole number from 0 to'],
    [
      'POST',
      '/v1/dev/sim-usage {"model":"m","in":1,"out":1,"repeat":1e9}',
      'repeat: allowed is a whole number from 1 to 1000',
    ],
    ['POST', '/v1/dev/sim-usage {"model":"m","in":1,"out":1,"x":1}', 'x: not known here; allowed is model,'],
  ] as const)('%s %s is answered with what is', async (method, request, message) => {
    const [target = '', body = ''] = request.split(/ (.*)/s);
    const { ask, seen } = startStoreless();
    expect(await ask(method, target, body)).toEqual({
      status: 400,
      body: {
        type: 'error',
        error: { type: 'invalid_request_error', message: expect.stringContaining(`ccp: ${message}`) },
      },
    });
    expect(seen).toEqual([]);
  });

  it.each(['samples?', 'rollups?granularity=day&'])(
    'may be a lane that is not known: /v1/usage/%s, unless something was once counted under it',
    async (path) => {
      const { keep, ask } = startStored();
      const of = (lane: string) => ask('GET', `/v1/usage/${path}since=-1h&lane=${lane}`);
      expect(await of('zia')).toEqual({
        status: 400,
        body: {
          type: 'error',
          error: {
            type: 'invalid_request_error',
            message: 'ccp: lane: allowed is anthropic, none, zai, or one under which something was counted',
          },
        },
      });
      expect((await of('zai')).status).toBe(200);
      keep(48 * HOUR, { lane: 'gone' });
      expect((await of('gone')).status).toBe(200);
    },
  );

  it('is no lane that cannot be judged because the store cannot be read', async () => {
    const store = { ...createNoStore('nowhere'), knowsLane: async () => true };
    expect((await startUsageWorld(store).ask('GET', '/v1/usage/samples?lane=gone')).status).toBe(200);
  });

  it('may be a time that lost its plus on the way', async () => {
    const { ask } = startStoreless();
    const at = async (offset: string) => ask('GET', `/v1/usage?since=2026-01-02T15:04:05${offset}`);
    expect(await at('+08:00')).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('; a + in a query is written %2B') } },
    });
    expect((await at('%2B08:00')).status).toBe(200);
  });

  it('never makes anything but an answer, whatever the query', async () => {
    const { call } = startStoreless();
    const paths = fc.constantFrom('usage', 'usage/samples', 'usage/rollups', 'quotas');
    const words = fc.constantFrom('since', 'until', 'limit', 'cursor', 'model', 'granularity', 'lane');
    const query = fc.array(fc.tuple(words, fc.string({ unit: 'binary' })), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(paths, query, async (path, pairs) => {
        const asked = new URLSearchParams();
        for (const [name, value] of pairs) asked.append(name, value);
        const { status } = await call('GET', `/v1/${path}?${asked.toString()}`);
        expect([200, 400]).toContain(status);
      }),
    );
  });
});

describe('quotas', () => {
  it('are shown with where they come from', async () => {
    const quota = quotaWorld({
      file: '/home/me/quotas.json',
      views: () => [VIEW],
      cooldowns: () => [{ lane: 'zai', key: 'glm-5', until: NOW, stated: 'reset' }],
    });
    const { status, body } = await startStoreless({ quota }).ask('GET', '/v1/quotas');
    expect(status).toBe(200);
    expect(quotasAnswer.parse(body)).toMatchObject({
      file: '/home/me/quotas.json',
      mode: 'block',
      rebuilding: false,
      cooldowns: [{ lane: 'zai', key: 'glm-5', until: '2026-11-02T12:30:00.000Z' }],
      quotas: [
        {
          rolling: VIEW.rolling,
          cooldown_until: '2026-11-02T12:30:00.000Z',
          peak_hour: { start: '2026-11-02T12:00:00.000Z', tokens: 600 },
          provider_limits: {
            at: '2026-11-02T12:30:00.000Z',
            windows: [{ resets_at: '2026-11-02T12:30:00.000Z' }],
            refused: { at: '2026-11-02T12:30:00.000Z', until: null },
          },
        },
      ],
    });
  });

  it('are reloaded from their file, or from the text that is sent', async () => {
    const { ask, reloads } = startStoreless();
    quotasAnswer.parse((await ask('POST', '/v1/quotas/reload')).body);
    quotasAnswer.parse((await ask('POST', '/v1/quotas/reload', '{"quotas":[]}')).body);
    expect(reloads).toEqual([undefined, '{"quotas":[]}']);
  });

  it('that are not taken are answered with the reason', async () => {
    const why = 'the quotas sent:1: quotas.2.model: must be a glob';
    const { ask } = startStoreless({ quota: quotaWorld({ reload: () => ({ ok: false, why }) }) });
    expect(await ask('POST', '/v1/quotas/reload', '{}')).toMatchObject({
      status: 400,
      body: { error: { message: `ccp: not taken over, the quotas before stay: ${why}` } },
    });
  });
});

describe('POST /v1/quotas/end-cooldown', () => {
  const world = () => {
    const asked: unknown[] = [];
    const cooldown = { lane: 'zai', key: '*haiku*', until: NOW + HOUR, stated: 'reset' } as const;
    const quota = quotaWorld({
      endCooldowns(which) {
        asked.push(which);
        return [cooldown];
      },
    });
    return { asked, ...startStoreless({ quota }) };
  };

  it('ends all, those of a lane, or one, and names them', async () => {
    const { ask, asked } = world();
    for (const body of ['', '{"lane":"zai"}', '{"lane":"zai","key":"*haiku*"}']) {
      const answer = await ask('POST', '/v1/quotas/end-cooldown', body);
      expect(endedAnswer.parse(answer.body).ended).toEqual([
        { lane: 'zai', key: '*haiku*', until: '2026-11-02T13:30:00.000Z', stated: 'reset' },
      ]);
    }
    expect(asked).toEqual([{}, { lane: 'zai' }, { lane: 'zai', key: '*haiku*' }]);
  });

  it('that end none are no mistake, unless the name is nothing', async () => {
    const { ask } = startStoreless({ quota: quotaWorld({ views: () => [quotaView()] }) });
    const end = (which: object) => ask('POST', '/v1/quotas/end-cooldown', JSON.stringify(which));
    for (const which of [{}, { lane: 'zai' }, { lane: 'zai', key: '*haiku*' }]) {
      expect(await end(which)).toEqual({ status: 200, body: { ended: [] } });
    }
    expect(await end({ lane: 'zia' })).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('ccp: lane: allowed is anthropic, zai, or') } },
    });
    expect(await end({ lane: 'zai', key: 'haiku' })).toMatchObject({
      status: 400,
      body: {
        error: {
          message: expect.stringContaining('ccp: key: allowed is the glob of a quota there ("*haiku*")'),
        },
      },
    });
  });

  it.each([
    ['{"lanes":"zai"}', 'ccp: lanes: not known here; allowed is lane, key'],
    ['{"lane":7}', 'ccp: lane: allowed is the name of a lane'],
    ['zai', 'ccp: the body is no object; allowed are lane, key'],
  ])('does not guess what %s means', async (body, message) => {
    const { ask, asked } = world();
    expect(await ask('POST', '/v1/quotas/end-cooldown', body)).toMatchObject({
      status: 400,
      body: { error: { message } },
    });
    expect(asked).toEqual([]);
  });
});

describe('GET /v1/usage/live', () => {
  it('is a stream, until there are too many', async () => {
    const { call } = startStoreless();
    const leave: (() => void)[] = [];
    for (let n = 0; n < MAX_READERS; n += 1) {
      const answer = await call('GET', '/v1/usage/live');
      if ('body' in answer) throw new Error('no stream');
      expect(answer.contentType).toBe('text/event-stream');
      leave.push(answer.start({ write: () => 0, drop: () => {} }));
    }
    expect((await call('GET', '/v1/usage/live')).status).toBe(429);
    leave[0]?.();
    expect((await call('GET', '/v1/usage/live')).status).toBe(200);
  });
});

describe('POST /v1/dev/sim-usage', () => {
  const body = (part: object): string =>
    JSON.stringify({ model: 'claude-haiku-4-5', in: 200, out: 300, ...part });

  it('is not there unless it is enabled', async () => {
    const { ask, seen } = startStored({ devEnabled: false });
    expect(await ask('POST', '/v1/dev/sim-usage', body({}))).toMatchObject({
      status: 404,
      body: { error: { type: 'not_found_error', message: expect.stringContaining('CCP_DEV_ENABLE') } },
    });
    expect(seen).toEqual([]);
  });

  it('makes exchanges up that are routed, and told to everybody in order', async () => {
    const { ask, seen, completions } = startStored();
    const answer = await ask('POST', '/v1/dev/sim-usage', body({ repeat: 2, seconds: 1.5 }));
    const { rids } = simAnswer.parse(answer.body);
    expect(rids).toHaveLength(2);
    const one = ['decision zai', 'attempt zai', 'completion zai'];
    expect(seen).toEqual([...one, ...one]);
    for (const event of completions) usageEventSchema.parse(event);
    expect(completions.map(({ rid }) => rid)).toEqual(rids);
    expect(completions[0]).toMatchObject({
      decision: 'to_zai',
      client: 'sim-usage',
      header_mode: 'x-api-key',
      latency_ms: 1_500,
      tokens: { input: 200, output: 300, cache_read: 0 },
    });
    expect(usageAnswer.parse((await ask('GET', '/v1/usage')).body).lanes['zai']).toMatchObject({
      requests: 2,
      tokens: { input: 400, output: 600 },
      duration_ms: 3_000,
    });
  });

  it('counts what routing refuses as refused, without tokens', async () => {
    const route: NonNullable<NonNullable<Part>['route']> = () => ({
      provider: zai,
      decision: 'license_block',
      alternatives: [],
      refusal: { status: 429, type: 'billing_error', message: 'used up', errType: 'limit' },
    });
    const { ask, seen, completions } = startStored({ route });
    await ask('POST', '/v1/dev/sim-usage', body({}));
    expect(seen).toEqual(['decision zai', 'completion zai']);
    expect(completions[0]).toMatchObject({ reason: 'blocked', status: 429, err_type: 'limit', attempts: [] });
    expect(completions[0]?.tokens).toBeUndefined();
  });
});

it('are every one of them described, and no other', () => {
  const there = startStoreless().endpoints.map(({ method, path }) => `${method} ${path}`);
  const { paths } = described.parse(openApi());
  const named = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(named.toSorted()).toEqual(there.toSorted());
});

const described = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });
