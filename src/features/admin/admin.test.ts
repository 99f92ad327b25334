import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { EndpointAnswer, Provider } from '../../core/types.ts';
import { type AdminOptions, createAdmin, SCRAPED_AGE_MS } from './admin.ts';
import { CACHE_MS, PROBE_TIMEOUT_MS, type ProbeOutcome } from './readiness.ts';

const provider = (id: string, lane: string, auth: Provider['auth']): Provider => ({
  id,
  lane,
  origin: `https://${id}.example`,
  basePath: '',
  auth,
  dropHeaders: [],
  rewriteModel: new Map(),
  h2: true,
  feature: null,
  fallback: [],
});
const anth = provider('anth', 'anthropic', { kind: 'client' });
const zai = provider('zai', 'zai', { kind: 'key', headerMode: 'x-api-key', env: 'ZAI_API_KEY', key: 'k' });

/** An admin feature whose surroundings a test can steer and watch. */
function world(given: Partial<AdminOptions> = {}) {
  const seen = { probes: [] as string[], ready: new Map<string, boolean>(), rotations: 0, now: 1_000 };
  const outcomes = new Map<string, ProbeOutcome>();
  let paused = false;
  const endpoints = createAdmin({
    version: '1.2.3',
    startedAt: 1_000,
    providers: () => [anth, zai],
    async probe({ id }, timeoutMs) {
      seen.probes.push(`${id} ${timeoutMs}`);
      return outcomes.get(id) ?? { status: 405, ms: 12.4 };
    },
    metrics: {
      render: async () => ({ contentType: 'text/plain', body: 'ccp_inflight 0\n' }),
      lanesReady: (states) => void (seen.ready = new Map(states)),
    },
    journal: {
      rotate() {
        seen.rotations += 1;
        return { rotatedTo: '/logs/usage.jsonl.1' };
      },
    },
    offload: {
      pause(on) {
        paused = on;
      },
      paused: () => paused,
    },
    modelOverride: () => null,
    license: () => ({ ok: false, plan: 'community', features: [], reason: 'none' }),
    policy: () => ({ source: 'none' }),
    store: () => ({ ok: true, reason: null }),
    clock: { now: () => seen.now, monotonic: () => seen.now, after: () => () => {} },
    ...given,
  });
  const call = async (method: 'GET' | 'POST', path: string, body = ''): Promise<EndpointAnswer> => {
    const endpoint = endpoints.find((one) => one.method === method && one.path === path);
    if (endpoint === undefined) throw new Error(`no ${method} ${path}`);
    const answer = await endpoint.handle({ query: new URLSearchParams(), body: Buffer.from(body) });
    if (!('body' in answer)) throw new Error(`${path} answers with a stream`);
    return answer;
  };
  const json = async (method: 'GET' | 'POST', path: string, body?: string) => {
    const answer = await call(method, path, body);
    expect(answer.contentType).toBe('application/json');
    return { status: answer.status, body: JSON.parse(answer.body) as unknown };
  };
  return { seen, outcomes, call, json };
}

describe('GET /healthz', () => {
  it('says that the process serves, which version, and for how long', async () => {
    const { seen, json } = world();
    seen.now += 61_000;
    expect(await json('GET', '/healthz')).toEqual({
      status: 200,
      body: { status: 'ok', version: '1.2.3', uptime_s: 61, paused: false, model_override: null },
    });
  });
});

it('says in /healthz and /readyz what holds before any route', async () => {
  const { json } = world({ modelOverride: () => 'claude-haiku-4-5' });
  await json('POST', '/v1/ccp/offload', '{"paused":true}');
  for (const path of ['/healthz', '/readyz'])
    expect((await json('GET', path)).body).toMatchObject({
      paused: true,
      model_override: 'claude-haiku-4-5',
    });
});

describe('GET /metrics', () => {
  it('hands out what the metrics render', async () => {
    expect(await world().call('GET', '/metrics')).toEqual({
      status: 200,
      contentType: 'text/plain',
      body: 'ccp_inflight 0\n',
    });
  });
});

describe('what GET /metrics shows of the lanes', () => {
  it('is looked at by the scrapes themselves, once a minute at most', async () => {
    const { seen, outcomes, call } = world();
    const scrape = async (after: number) => {
      seen.now += after;
      await call('GET', '/metrics');
      await nextTurn();
      return seen.probes.splice(0).length;
    };
    expect(await scrape(0)).toBe(2);
    expect(Object.fromEntries(seen.ready)).toEqual({ anthropic: true, zai: true });
    expect(await scrape(SCRAPED_AGE_MS - 1)).toBe(0);
    outcomes.set('zai', { error: 'net', message: 'refused', ms: 1 });
    expect(await scrape(1)).toBe(2);
    expect(Object.fromEntries(seen.ready)).toEqual({ anthropic: true, zai: false });
  });

  it('is not what an outdated round says of providers that were replaced meanwhile', async () => {
    const late = Promise.withResolvers<ProbeOutcome>();
    let zaiNow = zai;
    const { seen, json, call } = world({
      providers: () => [anth, zaiNow],
      probe: ({ id, origin }) =>
        id === 'zai' && origin === zai.origin ? late.promise : Promise.resolve({ status: 405, ms: 1 }),
    });
    await call('GET', '/metrics');
    zaiNow = { ...zai, origin: 'https://other.example' };
    await json('GET', '/readyz');
    late.resolve({ error: 'net', message: 'refused', ms: 1 });
    await nextTurn();
    expect(Object.fromEntries(seen.ready)).toEqual({ anthropic: true, zai: true });
  });

  it('does not make a scrape wait for an upstream', async () => {
    const { call } = world({ probe: () => new Promise(() => {}) });
    expect((await call('GET', '/metrics')).status).toBe(200);
  });
});

describe('GET /readyz', () => {
  it('is 200 with a reason for each provider when all answer', async () => {
    const { seen, outcomes, json } = world();
    outcomes.set('zai', { status: 200, ms: 3 });
    expect(await json('GET', '/readyz')).toEqual({
      status: 200,
      body: {
        ready: true,
        paused: false,
        model_override: null,
        license: { ok: false, plan: 'community', features: [], reason: 'none' },
        policy: { source: 'none' },
        store: { ok: true, reason: null },
        providers: {
          anth: {
            ok: true,
            status: 405,
            reason: 'method_not_allowed',
            ms: 12,
            lane: 'anthropic',
            credential: 'client',
          },
          zai: { ok: true, status: 200, reason: 'ok', ms: 3, lane: 'zai', credential: 'set' },
        },
      },
    });
    expect(seen.probes).toEqual([`anth ${PROBE_TIMEOUT_MS}`, `zai ${PROBE_TIMEOUT_MS}`]);
    expect(Object.fromEntries(seen.ready)).toEqual({ anthropic: true, zai: true });
  });

  it('is 503 with the failure when one cannot be reached', async () => {
    const { seen, outcomes, json } = world();
    outcomes.set('zai', { error: 'net', message: 'connect ECONNREFUSED 127.0.0.1:1', ms: 1 });
    const { status, body } = await json('GET', '/readyz');
    expect(status).toBe(503);
    expect(body).toMatchObject({
      ready: false,
      providers: {
        anth: { ok: true },
        zai: { ok: false, status: null, reason: 'net', detail: 'connect ECONNREFUSED 127.0.0.1:1' },
      },
    });
    expect(Object.fromEntries(seen.ready)).toEqual({ anthropic: true, zai: false });
  });

  it.each([
    [199, false, 'http_199'],
    [200, true, 'ok'],
    [307, true, 'temporary_redirect'],
    [401, true, 'unauthorized'],
    [405, true, 'method_not_allowed'],
    [406, false, 'not_acceptable'],
    [503, false, 'service_unavailable'],
    [529, false, 'http_529'],
  ])('takes status %i for ok: %s, %s', async (status, ok, reason) => {
    const { outcomes, json } = world({ providers: () => [zai] });
    outcomes.set('zai', { status, ms: 1 });
    const answer = await json('GET', '/readyz');
    expect(answer.status).toBe(ok ? 200 : 503);
    expect(answer.body).toMatchObject({ providers: { zai: { ok, status, reason } } });
  });

  it('shows a provider whose key is not set', async () => {
    const keyless = provider('zai', 'zai', {
      kind: 'key',
      headerMode: 'x-api-key',
      env: 'ZAI_API_KEY',
      key: null,
    });
    const { body } = await world({ providers: () => [keyless] }).json('GET', '/readyz');
    expect(body).toMatchObject({ providers: { zai: { ok: true, credential: 'missing' } } });
  });

  it('shares one probe among concurrent askers and for five seconds', async () => {
    const { seen, json } = world();
    await Promise.all([json('GET', '/readyz'), json('GET', '/readyz')]);
    seen.now += CACHE_MS - 1;
    await json('GET', '/readyz');
    expect(seen.probes).toHaveLength(2);
    seen.now += 1;
    await json('GET', '/readyz');
    expect(seen.probes).toHaveLength(4);
  });

  it('counts the five seconds from the end of a slow probe', async () => {
    const { promise, resolve: answer } = Promise.withResolvers<ProbeOutcome>();
    let probes = 0;
    const probe = () => {
      probes += 1;
      return promise;
    };
    const { seen, json } = world({ providers: () => [zai], probe });
    const slow = json('GET', '/readyz');
    seen.now += CACHE_MS * 2;
    const late = json('GET', '/readyz');
    answer({ status: 200, ms: 1 });
    await Promise.all([slow, late]);
    seen.now += CACHE_MS - 1;
    await json('GET', '/readyz');
    expect(probes).toBe(1);
  });

  it('probes anew once the catalog was reloaded', async () => {
    let catalog = [anth];
    const { seen, json } = world({ providers: () => [...catalog] });
    await json('GET', '/readyz');
    catalog = [anth, { ...zai }];
    await json('GET', '/readyz');
    catalog = [anth, { ...zai }];
    await json('GET', '/readyz');
    expect(seen.probes).toHaveLength(5);
  });

  it('calls a lane ready only when each of its providers is', async () => {
    const second = { ...zai, id: 'zai-two' };
    const { seen, outcomes, json } = world({ providers: () => [zai, second] });
    outcomes.set('zai', { error: 'dns', message: 'not found', ms: 1 });
    await json('GET', '/readyz');
    expect(Object.fromEntries(seen.ready)).toEqual({ zai: false });
  });
});

describe('POST /v1/ccp/offload', () => {
  it('pauses and resumes, which readiness shows at once', async () => {
    const { json } = world();
    await json('GET', '/readyz');
    expect(await json('POST', '/v1/ccp/offload', '{"paused":true}')).toEqual({
      status: 200,
      body: { paused: true },
    });
    expect((await json('GET', '/readyz')).body).toMatchObject({ paused: true });
    expect((await json('POST', '/v1/ccp/offload', '{"paused":false}')).body).toEqual({ paused: false });
    expect((await json('GET', '/readyz')).body).toMatchObject({ paused: false });
  });

  it.each(['', '{', 'null', '[]', '{"paused":"yes"}', '{"paused":true,"more":1}'])(
    'refuses the body %j and says what is allowed',
    async (given) => {
      const { json } = world();
      const { status, body } = await json('POST', '/v1/ccp/offload', given);
      expect(status).toBe(400);
      expect(body).toEqual({
        type: 'error',
        error: {
          type: 'invalid_request_error',
          message: expect.stringContaining('allowed is {"paused": true} or {"paused": false}'),
        },
      });
      expect((await json('GET', '/readyz')).body).toMatchObject({ paused: false });
    },
  );
});

describe('POST /v1/ccp/log/rotate', () => {
  it.each(['', '{}'])('rotates and names the new file, given %j', async (given) => {
    const { json } = world();
    expect(await json('POST', '/v1/ccp/log/rotate', given)).toEqual({
      status: 200,
      body: { rotated_to: '/logs/usage.jsonl.1' },
    });
  });

  it('refuses what it does not understand, and does nothing', async () => {
    const { seen, json } = world();
    expect((await json('POST', '/v1/ccp/log/rotate', '{"keep":3}')).status).toBe(400);
    expect(seen.rotations).toBe(0);
  });
});
