import { describe, expect, it } from 'vitest';
import type { Check } from '../analysis/check.ts';
import type { ClaudeLookup } from '../harness/types/client.ts';
import { compactUtc, LANES, makePlan } from './plan.ts';
import type { RunOptions } from './run-options.ts';
import { planSchema } from './run-record.ts';
import { BARRED_CLAIM } from './stages.ts';
import type { Suite } from './suite.ts';

const check = (id: string, needs: Check['needs'] = []): Check => ({
  id,
  title: `title of ${id}`,
  least: 1,
  needs,
  judge: () => ({ observed: 1, violations: [] }),
});
const CHECKS = [
  { ...check('A-01'), lane: 'anthropic' },
  check('B-01', ['upstream']),
  check('C-01', ['proxy', 'commands']),
];

const SUITE: Suite = {
  name: 'sample',
  title: 'A sample',
  proves: ['Something.'],
  probes: [
    { client: 'claude', id: 'claude', model: 'haiku', lane: 'zai', times: 2 },
    { client: 'curl', id: 'plain', model: 'm', lane: 'anthropic', op: 'stream' },
    { client: 'curl', id: 'marked', model: 'm', lane: 'anthropic', op: 'stream', scenario: 'paced' },
    {
      client: 'curl',
      id: 'queued',
      model: 'm',
      lane: 'zai',
      op: 'stream',
      scenario: { provider: 'zai', name: 'x' },
    },
    { client: 'curl', id: 'leaves', model: 'm', lane: 'zai', op: 'stream', leaveAfterBytes: 10 },
    {
      client: 'curl',
      id: 'long',
      model: 'm',
      lane: 'anthropic',
      op: 'stream',
      scenario: 'long-paced',
      live: { prompt: 'Count.', maxTokens: 9 },
    },
  ],
  timeoutMs: 60_000,
  settings: { CCP_FORCE_H1: '1' },
  checks: ['A-01', 'B-01', 'C-01'],
  artifacts: { name: 'sample' },
};

const FOUND: ClaudeLookup = { found: true, path: '/bin/claude', from: 'path' };
const MISSING: ClaudeLookup = { found: false, reason: 'it is not there' };

function plan(options: Partial<RunOptions> = {}, claude = FOUND, suite = SUITE) {
  return makePlan({
    suite,
    checks: CHECKS,
    claude,
    startedAt: new Date(Date.UTC(2026, 10, 21, 6, 45, 1, 234)),
    options: {
      upstream: 'mock',
      client: 'auto',
      target: { kind: 'builtin' },
      login: false,
      lanes: LANES,
      timeoutMs: null,
      seed: '5eed',
      only: [],
      failFast: false,
      allowInconclusive: false,
      ...options,
    },
  });
}

const sent = (planned: ReturnType<typeof plan>) => planned.waves.map((wave) => wave.map(({ id }) => id));
const reasons = (planned: ReturnType<typeof plan>) =>
  Object.fromEntries(planned.skippedProbes.map(({ id, reason }) => [id, reason]));

describe('a plan', () => {
  it('sends plain raw probes together, queued and leaving ones alone, then all of Claude Code', () => {
    expect(sent(plan())).toEqual([
      ['plain', 'marked', 'long'],
      ['queued'],
      ['leaves'],
      ['claude-1', 'claude-2'],
    ]);
  });

  it('is named after its time and suite, and is a value that can be stored', () => {
    const planned = plan();
    expect(planned.run).toBe('20261121T064501Z-sample');
    expect(planSchema.parse(JSON.parse(JSON.stringify(planned)))).toEqual(planned);
  });

  it("takes the suite's time limit where nobody sets another", () => {
    expect(plan().timeoutMs).toBe(60_000);
    expect(plan({ timeoutMs: 5 }).timeoutMs).toBe(5);
  });

  it('does without Claude Code where it is missing, and says why', () => {
    const planned = plan({}, MISSING);
    expect(sent(planned).flat()).not.toContain('claude-1');
    expect(reasons(planned)['claude-1']).toContain('it is not there');
  });

  it('is refused as not ready where Claude Code is demanded and missing', () => {
    expect(() => plan({ client: 'claude' }, MISSING)).toThrow(expect.objectContaining({ code: 'NOT_READY' }));
  });

  it('holds one kind of client where that is asked for', () => {
    expect(sent(plan({ client: 'claude' })).flat()).toEqual(['claude-1', 'claude-2']);
    expect(sent(plan({ client: 'curl' })).flat()).not.toContain('claude-1');
  });

  it('is refused where no probe is left', () => {
    const onlyClaude = { ...SUITE, probes: SUITE.probes.slice(0, 1) };
    expect(() => plan({ client: 'curl' }, FOUND, onlyClaude)).toThrow(
      expect.objectContaining({ code: 'NOT_READY' }),
    );
  });

  it('sends clients that leave amid the others where the suite is a crowd', () => {
    const crowd: Suite = { ...SUITE, crowded: true };
    expect(sent(plan({ client: 'curl' }, FOUND, crowd))).toEqual([
      ['plain', 'marked', 'leaves', 'long'],
      ['queued'],
    ]);
  });

  it('sends of each kind as many at once as the suite has it, and the next when these have ended', () => {
    const all = { client: 'curl', model: 'sonnet', lane: 'anthropic', op: 'stream' } as const;
    const waves: Suite = {
      ...SUITE,
      crowded: true,
      ofEachAtOnce: 2,
      probes: [
        { ...all, id: 'stays', times: 5 },
        { ...all, id: 'leaves', times: 4, leaveAfterBytes: 9 },
      ],
    };
    expect(sent(plan({}, FOUND, waves))).toEqual([
      ['stays-1', 'stays-2', 'leaves-1', 'leaves-2'],
      ['stays-3', 'stays-4', 'leaves-3', 'leaves-4'],
      ['stays-5'],
    ]);
  });

  it('asks a real upstream for no scenario, and for its live prompt where there is one', () => {
    const planned = plan({ upstream: 'real' });
    expect(sent(planned)).toEqual([['plain', 'long'], ['leaves'], ['claude-1', 'claude-2']]);
    expect(planned.waves[0]?.[1]).toMatchObject({ prompt: 'Count.', maxTokens: 9 });
    expect(planned.waves.flat().every(({ scenario }) => scenario === undefined)).toBe(true);
  });

  it('skips the checks whose witness a run cannot have, with the reason', () => {
    const skips = (options: Partial<RunOptions>) =>
      plan(options)
        .checks.filter(({ skip }) => skip)
        .map(({ id }) => id);
    expect(skips({})).toEqual([]);
    expect(skips({ upstream: 'real' })).toEqual(['B-01']);
    expect(skips({ target: { kind: 'cmd', command: 'x {port}' } })).toEqual(['C-01']);
    expect(skips({ target: { kind: 'url', url: 'http://127.0.0.1:1' } })).toEqual(['B-01', 'C-01']);
  });

  it('judges by the checks asked for alone, and refuses one that the suite has not', () => {
    expect(plan({ only: ['C-01'] }).checks.map(({ id }) => id)).toEqual(['C-01']);
    expect(() => plan({ only: ['D-01'] })).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

const URL_TARGET = { kind: 'url', url: 'http://127.0.0.1:1' } as const;
const usage = expect.objectContaining({ code: 'USAGE' });

describe('the licence of a plan', () => {
  const licence = (options: Partial<RunOptions>) => plan(options).stages.map(({ license }) => license);

  it("is a trial on mocks and the caller's own elsewhere, unless one is chosen", () => {
    expect(licence({})).toEqual(['trial']);
    expect(licence({ upstream: 'real' })).toEqual(['env']);
    expect(licence({ target: URL_TARGET })).toEqual(['env']);
    expect(licence({ license: 'none' })).toEqual(['none']);
    expect(licence({ license: 'trial', upstream: 'real' })).toEqual(['trial']);
    expect(plan({ license: 'none' }).asked).toEqual({ license: 'none' });
  });

  it('is not ours to choose for a proxy that runs already', () => {
    expect(() => plan({ license: 'none', target: URL_TARGET })).toThrow(usage);
  });

  it('that does not open the lane turns what was to go there away, and keeps back what is queued there', () => {
    const expectations = (license: 'trial' | 'none') =>
      Object.fromEntries(
        plan({ license })
          .waves.flat()
          .map(({ id, lane, decision }) => [id, [lane, decision]]),
      );
    expect(expectations('trial')).toMatchObject({
      leaves: ['zai', undefined],
      plain: ['anthropic', undefined],
    });
    const barred = expectations('none');
    expect(barred).toMatchObject({
      leaves: ['anthropic', 'license_block'],
      'claude-1': ['anthropic', 'license_block'],
      plain: ['anthropic', undefined],
    });
    expect(barred).not.toHaveProperty('queued');
    expect(reasons(plan({ license: 'none' }))['queued']).toContain('Z.AI is to play');
  });

  it('that does not open the lane leaves nothing of what the suite claims of both lanes', () => {
    expect(plan({ license: 'none' }).proves).toEqual([BARRED_CLAIM]);
    const noHaiku = { ...SUITE, probes: SUITE.probes.filter(({ lane }) => lane === 'anthropic') };
    expect(plan({ license: 'none' }, FOUND, noHaiku).proves).toEqual(['Something.']);
  });
});

describe('a plan with stages', () => {
  const STAGED: Suite = {
    ...SUITE,
    probes: [
      { client: 'curl', id: 'haiku', model: 'm', lane: 'zai', op: 'stream' },
      {
        client: 'curl',
        id: 'sonnet',
        model: 'm',
        lane: 'anthropic',
        op: 'stream',
        stages: ['without', 'with'],
      },
    ],
    stages: [
      { name: 'without', license: 'none' },
      { name: 'with', license: 'trial', by: 'command' },
      { name: 'wrong', license: 'expired' },
    ],
  };
  const staged = (options: Partial<RunOptions> = {}) => plan(options, FOUND, STAGED);
  const ways = (options: Partial<RunOptions>) => staged(options).stages.map(({ by }) => by);

  it('sends the probes of each stage by themselves, under names of their own, to where its licence lets them', () => {
    expect(sent(staged())).toEqual([
      ['without-haiku', 'without-sonnet'],
      ['with-haiku', 'with-sonnet'],
      ['wrong-haiku'],
    ]);
    expect(
      staged()
        .waves.flat()
        .map(({ stage, lane, decision }) => [stage, lane, decision]),
    ).toEqual([
      ['without', 'anthropic', 'license_block'],
      ['without', 'anthropic', undefined],
      ['with', 'zai', undefined],
      ['with', 'anthropic', undefined],
      ['wrong', 'anthropic', 'license_block'],
    ]);
    expect(staged().proves).toEqual(['Something.']);
    expect(planSchema.parse(JSON.parse(JSON.stringify(staged())))).toEqual(staged());
  });

  it('gives the licence by command, or by login where that is asked for, or else in the environment', () => {
    expect(ways({})).toEqual(['environment', 'command', 'environment']);
    expect(ways({ login: true })).toEqual(['environment', 'login', 'environment']);
    expect(ways({ target: { kind: 'cmd', command: 'x {port}' } })).toEqual(Array(3).fill('environment'));
  });

  it('sends only what goes to the lanes asked for or is kept from them, and then claims nothing of the rest', () => {
    const haiku = staged({ lanes: ['zai'] });
    expect(sent(haiku)).toEqual([['without-haiku'], ['with-haiku'], ['wrong-haiku']]);
    expect(haiku.stages).toHaveLength(3);
    expect(reasons(haiku)).toHaveProperty('without-sonnet', 'only what is for zai is asked for');
    const rest = staged({ lanes: ['anthropic'] });
    expect(sent(rest)).toEqual([['without-haiku', 'without-sonnet'], ['with-sonnet'], ['wrong-haiku']]);
    expect([haiku, rest].map(({ proves }) => proves)).toEqual([[], []]);
  });

  it('skips the checks of a lane that nothing is sent to', () => {
    const open: Suite = { ...STAGED, stages: [{ name: 'with', license: 'trial' }] };
    const { checks } = plan({ lanes: ['zai'] }, FOUND, open);
    expect(checks).toMatchObject([{ id: 'A-01', skip: 'nothing is sent to anthropic' }, {}, {}]);
  });

  it.each<Partial<RunOptions>>([
    { license: 'none' },
    { target: URL_TARGET },
    { login: true, target: { kind: 'cmd', command: 'x {port}' } },
  ])('is refused with %j', (options) => {
    expect(() => staged(options)).toThrow(usage);
  });
});

describe('a plan with a budget', () => {
  const budgeted: Suite = {
    ...SUITE,
    quota: { lane: 'zai', model: 'haiku', requests: 1 },
    inOrder: true,
    stages: [
      { name: 'block', license: 'trial', mode: 'block' },
      { name: 'hybrid', license: 'trial', mode: 'hybrid' },
    ],
    probes: [
      { client: 'curl', id: 'within', model: 'haiku', lane: 'zai', op: 'stream', stages: ['block'] },
      {
        client: 'curl',
        id: 'beyond',
        model: 'haiku',
        lane: 'anthropic',
        decision: 'quota_block',
        op: 'stream',
        afterMs: 5,
        times: 2,
        stages: ['block'],
      },
      { client: 'curl', id: 'tried', model: 'haiku', lane: 'zai', op: 'stream', stages: ['hybrid'] },
    ],
  };

  it('sends at once what is to find room together, to a target with the budget of that stage', () => {
    const hard = { lane: 'anthropic', model: 'sonnet', requests: 2 } as const;
    const crowd = { client: 'curl', model: 'sonnet', lane: 'anthropic', op: 'stream' } as const;
    const { waves, stages } = plan({}, FOUND, {
      ...budgeted,
      stages: [{ name: 'hard', license: 'trial', mode: 'block', quota: hard }],
      probes: [
        { ...crowd, id: 'before', times: 2 },
        { ...crowd, id: 'crowd', times: 3, together: true },
        { ...crowd, id: 'after' },
      ],
    });
    expect(waves.map((wave) => wave.map(({ id }) => id))).toEqual([
      ['hard-before-1'],
      ['hard-before-2'],
      ['hard-crowd-1', 'hard-crowd-2', 'hard-crowd-3'],
      ['hard-after'],
    ]);
    expect(stages[0]?.quota).toEqual(hard);
  });

  it('sends each probe by itself, in order, to a target with the budget and the mode of each stage', () => {
    const { waves, quota, stages } = plan({}, FOUND, budgeted);
    expect(waves.map((wave) => wave.map(({ id }) => id))).toEqual([
      ['block-within'],
      ['block-beyond-1'],
      ['block-beyond-2'],
      ['hybrid-tried'],
    ]);
    expect(waves[1]).toMatchObject([{ decision: 'quota_block', lane: 'anthropic', afterMs: 5 }]);
    expect(quota).toEqual({ lane: 'zai', model: 'haiku', requests: 1 });
    expect(stages.map(({ mode }) => mode)).toEqual(['block', 'hybrid']);
  });

  it('leaves no probe out: what is blocked depends on all before it', () => {
    const planned = plan({ lanes: ['zai'] }, FOUND, budgeted);
    expect(planned.waves).toHaveLength(4);
    expect(planned.proves).toEqual(plan({}, FOUND, budgeted).proves);
  });

  it('is not for real upstreams', () => {
    expect(() => plan({ upstream: 'real' }, FOUND, budgeted)).toThrow('real upstreams are too dear for');
  });
});

describe('a plan that is driven', () => {
  it('needs no probe, and judges the lanes that its driver asks', () => {
    const driver = { kind: 'limits', lane: 'zai', maxRequests: 9, mockWindow: 3 } as const;
    const driven = plan({ driver: { maxRequests: 5 } }, FOUND, { ...SUITE, probes: [], driver });
    expect(driven).toMatchObject({ waves: [], driver: { ...driver, maxRequests: 5 } });
    expect(driven.checks[0]).toMatchObject({ id: 'A-01', skip: 'nothing is sent to anthropic' });
    expect(planSchema.parse(JSON.parse(JSON.stringify(driven)))).toEqual(driven);
  });
});

describe('what a plan would prove', () => {
  it('is what its suite claims, where every check of the suite is judged', () => {
    expect(plan().proves).toEqual(['Something.']);
  });

  it('is nothing where a check is left out or has no witness', () => {
    expect(plan({ only: ['A-01'] }).proves).toEqual([]);
    expect(plan({ upstream: 'real' }).proves).toEqual([]);
    expect(plan({ target: { kind: 'url', url: 'http://127.0.0.1:1' } }).proves).toEqual([]);
  });
});

describe('the name of a time', () => {
  it('is compact UTC without fractions', () => {
    expect(compactUtc(new Date('2026-01-02T03:04:05.678Z'))).toBe('20260102T030405Z');
  });
});

describe('what is asked for by name', () => {
  const only = (...names: string[]) => plan({ only: names });

  it('is checks, probes, or both; what is left out proves less', () => {
    const { checks, waves, skippedProbes, proves, asked } = only('B-01', 'plain', 'claude-2');
    expect(checks.map(({ id }) => id)).toEqual(['B-01']);
    expect(waves.flat().map(({ id }) => id)).toEqual(['plain', 'claude-2']);
    expect(skippedProbes).toContainEqual({ id: 'claude-1', reason: 'only plain and claude-2 is asked for' });
    expect({ proves, asked }).toEqual({ proves: [], asked: { probes: ['plain', 'claude-2'] } });
    expect(only('plain')).toMatchObject({
      checks: [{ id: 'A-01' }, { id: 'B-01' }, { id: 'C-01' }],
      proves: [],
    });
  });

  it.each([
    ['X-01', 'sample has no check X-01'],
    ['nobody', 'sample has no check or probe nobody'],
    ['plain-1', 'sample has no check or probe plain-1'],
    ['claude-3', 'sample has no check or probe claude-3'],
  ])('is refused where the suite has no %s', (name, message) => {
    expect(() => only(name)).toThrow(expect.objectContaining({ code: 'USAGE', message }));
  });

  it('leaves the check that a run makes of itself to the run', () => {
    expect(() => only('RUN-01', 'A-01')).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('judged in every run') }),
    );
  });

  it('is no single probe of a budget, which all of them use up', () => {
    const suite = { ...SUITE, quota: { lane: 'zai', model: 'haiku', requests: 3 } };
    expect(() => plan({ only: ['plain'] }, FOUND, suite)).toThrow(/no probes to choose from/);
  });
});
