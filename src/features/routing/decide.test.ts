import { describe, expect, it } from 'vitest';
import { compileGlob } from '../../protocol/glob.ts';
import type { Standing } from '../../protocol/standing.ts';
import { decide, type Snapshot, type StandingOf } from './decide.ts';
import { anthProvider, catalogProvider, zaiProvider } from './providers.ts';

const anth = anthProvider('https://anth.example', false);
const zaiWith = (key: string | null) =>
  zaiProvider({ baseUrl: 'https://zai.example/base', headerMode: 'x-api-key', forceH1: false }, () => key);
const zai = zaiWith('key');
const local = catalogProvider(
  {
    id: 'local',
    base_url: 'https://local.example',
    auth: { env: 'LOCAL', header_mode: 'authorization' },
    models: [],
    routes: {},
    fallback: ['zai', 'anth'],
    drop_headers: [],
    rewrite_model: {},
    h2: true,
    feature: null,
  },
  false,
  () => 'key',
);

function snapshot(changes: Partial<Snapshot> = {}): Snapshot {
  const { zai: z = zai } = changes;
  return {
    providers: new Map([anth, z, local].map((provider) => [provider.id, provider])),
    anth,
    zai: z,
    routes: [],
    policyRoutes: [],
    forceHaikuToZai: true,
    licensed: new Set(['zai_offload']),
    paused: false,
    override: null,
    ...changes,
  };
}
const routes = (...pairs: readonly (readonly [string, typeof anth])[]) =>
  pairs.map(([glob, provider]) => ({ matches: compileGlob(glob), provider }));

const HAIKU = 'claude-haiku-4-5';
const SONNET = 'claude-sonnet-5';

function decided(model: string | null, changes?: Partial<Snapshot>): string {
  const { provider, decision, alternatives } = decide(model, snapshot(changes));
  return [provider.id, decision, ...alternatives.map(({ id }) => `then ${id}`)].join(' ');
}

describe('the embedded default', () => {
  it('sends haiku to Z.AI with Anthropic as fallback, and the rest to Anthropic with none', () => {
    expect(decided(HAIKU)).toBe('zai to_zai then anth');
    expect(decided('HAIKU')).toBe('zai to_zai then anth');
    expect(decided(SONNET)).toBe('anth to_anthropic');
  });

  it('sends haiku to Anthropic where the offload is turned off', () => {
    expect(decided(HAIKU, { forceHaikuToZai: false })).toBe('anth to_anthropic');
  });

  it('sends what names no model to Anthropic, whatever else is set', () => {
    expect(decided(null, { override: HAIKU, routes: routes(['*', local]) })).toBe('anth to_anthropic');
  });
});

describe('precedence', () => {
  const all = { override: HAIKU, routes: routes([SONNET, local]) };

  it('puts the pause before everything', () => {
    for (const model of [HAIKU, SONNET, null]) {
      expect(decided(model, { ...all, paused: true })).toBe('anth offload_paused');
    }
  });

  it('puts the override before the catalog, and the catalog before the default', () => {
    expect(decided(SONNET, all)).toBe('zai manual_override then anth');
    expect(decided(SONNET, { ...all, override: null })).toBe('local to_local then zai then anth');
    expect(decided(HAIKU, { routes: routes(['*haiku*', anth]) })).toBe('anth to_anthropic');
  });

  it('takes the first catalog route that matches', () => {
    expect(decided(SONNET, { routes: routes(['*sonnet*', zai], ['*', local]) })).toBe('zai to_zai then anth');
  });

  it('follows an override to whoever serves that model, though the offload is turned off', () => {
    expect(decided(SONNET, { override: HAIKU, forceHaikuToZai: false })).toBe(
      'zai manual_override then anth',
    );
    expect(decided(HAIKU, { override: 'q', routes: routes(['q', local]) })).toBe(
      'local manual_override then zai then anth',
    );
    expect(decided(HAIKU, { override: 'unheard-of' })).toBe('anth manual_override');
  });

  it('follows an explicit route though the offload is turned off', () => {
    expect(decided(HAIKU, { forceHaikuToZai: false, routes: routes(['*haiku*', zai]) })).toBe(
      'zai to_zai then anth',
    );
  });
});

describe('a missing key', () => {
  it('turns the choice away to its fallback', () => {
    expect(decided(HAIKU, { zai: zaiWith(null) })).toBe('anth no_credential');
    expect(decided(SONNET, { override: HAIKU, zai: zaiWith(null) })).toBe('anth no_credential');
  });

  it('takes a provider off the fallbacks of others', () => {
    expect(decided('q', { zai: zaiWith(null), routes: routes(['q', local]) })).toBe(
      'local to_local then anth',
    );
  });
});

describe('the policy pack', () => {
  const policyRoutes = routes(['*sonnet*', local], ['*opus*', zai]);

  it('comes after the catalogs and before the embedded default', () => {
    expect(decided(SONNET, { policyRoutes })).toBe('local to_local then zai then anth');
    expect(decided(SONNET, { policyRoutes, routes: routes(['*', anth]) })).toBe('anth to_anthropic');
    expect(decided(HAIKU, { policyRoutes: routes(['*haiku*', anth]) })).toBe('anth to_anthropic');
  });

  it('says who serves the model of an override, too, though the offload is turned off', () => {
    for (const forceHaikuToZai of [true, false]) {
      const changes = { policyRoutes, forceHaikuToZai };
      expect(decided(HAIKU, { ...changes, override: SONNET })).toBe(
        'local manual_override then zai then anth',
      );
      expect(decided(SONNET, { ...changes, override: 'claude-opus' })).toBe('zai manual_override then anth');
    }
    expect(decided(SONNET, { policyRoutes: routes(['*haiku*', anth]), override: HAIKU })).toBe(
      'anth manual_override',
    );
  });

  it('offloads nothing to Z.AI where the offload is turned off', () => {
    const off = { policyRoutes, forceHaikuToZai: false };
    expect(decided('claude-opus', off)).toBe('anth to_anthropic');
    expect(decided(SONNET, off)).toBe('local to_local then zai then anth');
  });
});

describe('the licence gate', () => {
  const licensed = new Set<string>();

  it('turns haiku over to Anthropic, whoever chose Z.AI', () => {
    expect(decided(HAIKU, { licensed })).toBe('anth license_block');
    expect(decided(SONNET, { licensed, override: HAIKU })).toBe('anth license_block');
    expect(decided(SONNET, { licensed, routes: routes(['*', zai]) })).toBe('anth license_block');
  });

  it('comes before the question for a key', () => {
    expect(decided(HAIKU, { licensed, zai: zaiWith(null) })).toBe('anth license_block');
  });

  it('leaves what needs no licence alone, but for the gated lane as its fallback', () => {
    expect(decided(SONNET, { licensed, routes: routes(['*', local]) })).toBe('local to_local then anth');
    expect(decided(SONNET, { licensed })).toBe('anth to_anthropic');
    expect(decided(HAIKU, { licensed, paused: true })).toBe('anth offload_paused');
  });

  it('asks for the feature that the provider names', () => {
    const gated = { ...local, feature: 'private_models' };
    const to = { routes: routes(['*', gated]) };
    expect(decided(SONNET, { ...to, licensed: new Set(['zai_offload']) })).toBe(
      'zai license_block then anth',
    );
    expect(decided(SONNET, { ...to, licensed: new Set(['private_models']) })).toBe(
      'local to_local then anth',
    );
  });

  it('refuses where nobody may take over, and says what is missing', () => {
    const alone = { ...local, feature: 'private_models', fallback: [] };
    const route = decide(SONNET, snapshot({ licensed, routes: routes(['*', alone]) }));
    expect(route.decision).toBe('license_block');
    expect(route.refusal?.message).toContain('private_models');
  });
});

describe('the gates of budgets and limits', () => {
  const rests: Standing = { kind: 'cooldown' };
  const NOON = new Date(2026, 5, 1, 12).getTime();
  const full = (inMs: number): Standing => ({
    kind: 'block',
    opening: () => ({ inMs, at: NOON + inMs, why: `full for ${inMs}` }),
  });
  const standing =
    (lanes: Readonly<Record<string, Standing>>): StandingOf =>
    ({ lane }) =>
      lanes[lane] ?? { kind: 'open' };
  const gated = (model: string, lanes: Readonly<Record<string, Standing>>, changes?: Partial<Snapshot>) => {
    const route = decide(model, snapshot(changes), standing(lanes));
    return [
      route.provider.id,
      route.decision,
      ...route.alternatives.map(({ id }) => `then ${id}`),
      ...(route.refusal === undefined ? [] : [`refused ${route.refusal.status} ${route.refusal.message}`]),
    ].join(' ');
  };
  const toLocal = { routes: routes(['q', local]) };

  it('turn a lane that rests or is full over to its fallback', () => {
    expect(gated(HAIKU, { zai: rests })).toBe('anth cooldown');
    expect(gated(HAIKU, { zai: full(5) })).toBe('anth quota_block');
    expect(gated('q', { local: full(5) }, toLocal)).toBe('zai quota_block then anth');
    expect(gated('q', { local: full(5), zai: rests }, toLocal)).toBe('anth quota_block');
  });

  it('leave a lane near its limit in place, and say so', () => {
    expect(gated(HAIKU, { zai: { kind: 'warn' } })).toBe('zai quota_warn_attempt then anth');
    expect(gated(HAIKU, { zai: rests, anthropic: { kind: 'warn' } })).toBe('anth cooldown');
  });

  it('come after the licence and before the key', () => {
    expect(gated(HAIKU, { zai: rests }, { licensed: new Set() })).toBe('anth license_block');
    expect(gated(HAIKU, { zai: rests }, { zai: zaiWith(null) })).toBe('anth cooldown');
    expect(gated(HAIKU, { zai: full(5) }, { zai: zaiWith(null) })).toBe('anth quota_block');
  });

  it('hold for an override and for a pause', () => {
    expect(gated(SONNET, { zai: rests }, { override: HAIKU })).toBe('anth cooldown');
    expect(gated(HAIKU, { anthropic: full(5) }, { paused: true })).toBe(
      'anth quota_block refused 429 full for 5; there is room again in 1 s',
    );
  });

  it('refuse where all are full, with the time of the first that opens', () => {
    expect(gated(SONNET, { anthropic: full(5) })).toBe(
      'anth quota_block refused 429 full for 5; there is room again in 1 s',
    );
    const route = decide(HAIKU, snapshot(), standing({ zai: full(9_001), anthropic: full(2_001) }));
    expect(route).toMatchObject({
      provider: { id: 'zai' },
      decision: 'quota_block',
      refusal: {
        status: 429,
        type: 'billing_error',
        errType: 'limit',
        headers: ['retry-after', '3', 'x-should-retry', 'false'],
      },
    });
  });

  it('never ask a client to wait for less than a second', () => {
    const route = decide(SONNET, snapshot(), standing({ anthropic: full(1) }));
    expect(route.refusal?.headers?.[1]).toBe('1');
  });

  it('let a lane that only rests be tried where nobody else is free', () => {
    expect(gated(SONNET, { anthropic: rests })).toBe('anth to_anthropic');
    expect(gated(HAIKU, { zai: rests, anthropic: full(5) })).toBe('zai to_zai');
    expect(gated(HAIKU, { zai: full(5), anthropic: rests })).toBe('anth quota_block');
  });

  it('hold for the fallback of what has no licence or no key', () => {
    const shut = { anthropic: full(5) };
    expect(gated(HAIKU, shut, { licensed: new Set() })).toBe(
      'zai quota_block refused 429 full for 5; there is room again in 1 s',
    );
    // Before the key also where there is no fallback.
    const alone = { zai: { ...zaiWith(null), fallback: [] } };
    expect(gated(HAIKU, { zai: full(5) }, alone)).toBe(
      'zai quota_block refused 429 full for 5; there is room again in 1 s',
    );
    expect(gated(HAIKU, shut, { zai: zaiWith(null) })).toBe(
      'zai quota_block refused 429 full for 5; there is room again in 1 s',
    );
    const resting = { zai: rests, anthropic: full(5) };
    expect(gated(HAIKU, resting, { zai: zaiWith(null) })).toBe(
      'zai quota_block refused 429 full for 5; there is room again in 1 s',
    );
  });
});
