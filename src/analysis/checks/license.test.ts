import { describe, expect, it } from 'vitest';
import type { Evidence, ProxyLife } from '../evidence.ts';
import { completionIn, lifeIn, type Mutable, pick, verdictOf } from '../testing/green-run.ts';

type Broken = Mutable<Evidence>;

/** As a run without a licence leaves it: haiku went to Anthropic, and everybody says why. */
function unlicensed(evidence: Broken): Mutable<ProxyLife> {
  const life = lifeIn(evidence);
  const claim = { ok: false, plan: 'community', features: [], reason: 'none' };
  life.license = { kind: 'none', expected: { ...claim } };
  life.licenseLines = ['ccp: [license] plan=community features=[] reason=none'];
  life.answers.readyz = { status: 200, body: { license: claim } };
  life.answers.license = claim;
  life.answers.metrics = 'ccp_license_info{plan="community",kid="",reason="none"} 1\n';
  return life;
}

/** One haiku of such a run, its fallback and all else of haiku taken out. */
function barred(evidence: Broken): void {
  unlicensed(evidence);
  const { upstream, probes, usage } = evidence;
  evidence.client = evidence.client.filter(({ id }) => id !== 'c-haiku-fallback');
  evidence.upstream = upstream.filter(({ id }) => !id.startsWith('u-haiku-fallback'));
  evidence.probes = probes.filter(({ id }) => id !== 'haiku-fallback');
  usage.events = usage.events.filter(({ rid }) => rid !== 'haiku-fallback');
  pick(evidence.upstream, 'u-haiku-stream').observer = 'anth';
  Object.assign(pick(evidence.probes, 'haiku-stream'), {
    expectedLane: 'anthropic',
    expectedDecision: 'license_block',
  });
  for (const event of usage.events) {
    if (event.rid === 'haiku-stream' && event.event !== 'stream_start') event.decision = 'license_block';
  }
}

describe('LICENSE-01', () => {
  const verdict = (alter?: (evidence: Broken) => unknown) => verdictOf('LICENSE-01', alter);

  it('passes with a licence, and without one where each haiku is barred', () => {
    expect(verdict()).toMatchObject({ outcome: 'pass', observed: 2 });
    expect(verdict(barred)).toMatchObject({ outcome: 'pass', observed: 1 });
  });

  it('fails where something is called barred that is not: haiku with a licence, sonnet without', () => {
    const haiku = verdict((evidence) => {
      completionIn(evidence, 'haiku-stream').decision = 'license_block';
    });
    const sonnet = verdict((evidence) => {
      barred(evidence);
      completionIn(evidence, 'sonnet-stream').decision = 'license_block';
    });
    expect([haiku.outcome, sonnet.outcome]).toEqual(['fail', 'fail']);
    expect(sonnet.violations[0]?.what).toContain('called barred');
  });

  it('fails where a barred request has another decision on record, in its decision line too', () => {
    for (const event of ['decision', 'completion'] as const) {
      const { outcome, violations } = verdict((evidence) => {
        barred(evidence);
        for (const line of evidence.usage.events)
          if (line.rid === 'haiku-stream' && line.event === event) line.decision = 'to_anthropic';
      });
      expect(outcome, event).toBe('fail');
      expect(violations[0]).toMatchObject({ expected: 'license_block' });
    }
  });

  it('fails where a barred request reached Z.AI, or nobody, whatever the log says', () => {
    const leaked = verdict((evidence) => {
      barred(evidence);
      pick(evidence.upstream, 'u-haiku-stream').observer = 'zai';
    });
    expect(leaked.violations.map(({ saw }) => saw?.['upstream'])).toContain('zai');
    const lost = verdict((evidence) => {
      barred(evidence);
      evidence.upstream = evidence.upstream.filter(({ id }) => !id.startsWith('u-haiku-stream'));
    });
    expect(lost.outcome).toBe('fail');
  });

  it('fails where Z.AI saw anything of anybody while there was no licence, but not for readiness probes', () => {
    const { violations } = verdict((evidence) => {
      barred(evidence);
      const stranger = structuredClone(pick(evidence.upstream, 'u-haiku-stream'));
      evidence.upstream.push({
        ...stranger,
        id: 'u-stray',
        observer: 'zai',
        startedAt: stranger.startedAt + 90_000,
      });
    });
    expect(violations).toMatchObject([
      {
        what: 'Z.AI saw a POST with a credential while the licence was missing',
        saw: { zai: 'x-api-key (zai-key)' },
        pointers: ['zai:u-stray'],
      },
    ]);
  });

  it('names the header by which a readiness probe had the key in hand', () => {
    const { violations } = verdict((evidence) => {
      barred(evidence);
      const { request } = pick(evidence.upstream, 'u-ready-zai');
      const key = evidence.canaries.find(({ name }) => name === 'zai-key')?.value ?? '';
      request.headers.push(['X-Api-Key', key]);
    });
    expect(violations).toMatchObject([
      {
        what: 'Z.AI saw a GET with a credential while the licence was missing',
        saw: { zai: 'X-Api-Key (zai-key)' },
      },
    ]);
  });

  it('does not hold a stage without a licence to what was sent in one that had it, nor rests on that', () => {
    const { outcome, violations } = verdict((evidence) => {
      const life = structuredClone(lifeIn(evidence));
      const next = unlicensed(evidence);
      evidence.lives = [life, { ...next, stage: 'without', startedAt: life.startedAt + 3_600_000 }];
    });
    expect({ outcome, violations }).toEqual({ outcome: 'inconclusive', violations: [] });
  });

  it('does not blame the licence for a client that left before anybody was asked, or before it was decided', () => {
    const left = (keep: (event: string) => boolean) => (evidence: Broken) => {
      barred(evidence);
      evidence.upstream = evidence.upstream.filter(({ id }) => !id.startsWith('u-haiku-stream'));
      completionIn(evidence, 'haiku-stream').attempts = [];
      evidence.usage.events = evidence.usage.events.filter(
        ({ rid, event }) => rid !== 'haiku-stream' || keep(event),
      );
    };
    expect(verdict(left(() => true)).violations).toEqual([]);
    const undecided = verdict((evidence) => {
      left((event) => event === 'completion')(evidence);
      completionIn(evidence, 'haiku-stream').decision = 'to_none';
    });
    expect(undecided).toMatchObject({ outcome: 'inconclusive', violations: [] });
  });

  it('does not take a barred probe that was broken off, and is in no account, for one that nothing bars', () => {
    const broken = (evidence: Broken) => {
      barred(evidence);
      evidence.probes = evidence.probes.filter(({ id }) => id !== 'haiku-stream');
    };
    expect(verdict(broken).violations).toEqual([]);
    const { violations } = verdict((evidence) => {
      broken(evidence);
      pick(evidence.upstream, 'u-haiku-stream').observer = 'zai';
    });
    expect(violations.map(({ saw }) => saw?.['upstream'])).toContain('zai');
  });

  it("tells why the caller's own licence opens nothing, and does not accuse the proxy of barring", () => {
    const { violations } = verdict((evidence) => {
      completionIn(evidence, 'haiku-stream').decision = 'license_block';
      const life = lifeIn(evidence);
      life.license = { kind: 'env', expected: null };
      life.answers.readyz = {
        status: 200,
        body: { license: { ok: false, plan: 'community', features: [], reason: 'expired' } },
      };
    });
    expect(violations).toEqual([
      {
        what: "the caller's own licence does not open the Z.AI lane",
        expected: 'a licence with the feature zai_offload',
        saw: { '/readyz': 'expired' },
        pointers: ['/readyz'],
      },
    ]);
  });

  it.each<[string, (evidence: Broken) => unknown]>([
    ['there is no account of any stage', (evidence) => (evidence.lives = [])],
    ['the licence of a stage is not on record', (evidence) => (lifeIn(evidence).license.expected = null)],
  ])('is inconclusive where %s', (_what, alter) => {
    expect(verdict(alter)).toMatchObject({ outcome: 'inconclusive', violations: [] });
  });

  it('is inconclusive where no haiku was sent', () => {
    const { outcome } = verdict((evidence) => {
      evidence.client = evidence.client.filter(({ id }) => !id.includes('haiku'));
      evidence.upstream = evidence.upstream.filter(({ id }) => !id.includes('haiku'));
    });
    expect(outcome).toBe('inconclusive');
  });
});

describe('LICENSE-02', () => {
  const verdict = (alter?: (evidence: Broken) => unknown) => verdictOf('LICENSE-02', alter);

  it('hears four voices of each life', () => {
    expect(verdict()).toMatchObject({ outcome: 'pass', observed: 4 });
    expect(verdict(unlicensed)).toMatchObject({ outcome: 'pass', observed: 4 });
  });

  it.each<[string, (life: Mutable<ProxyLife>) => unknown]>([
    [
      'the start-up line',
      (life) => (life.licenseLines = [life.licenseLines[0]?.replace('trial', 'pro') ?? '']),
    ],
    [
      'the time in the start-up line',
      (life) => (life.licenseLines = [`${life.licenseLines[0]?.replace('-09T', '-10T')}`]),
    ],
    ['a start-up line that is not there', (life) => (life.licenseLines = [])],
    ['/readyz', (life) => (life.answers.readyz = { status: 200, body: { license: { ok: false } } })],
    ['a /readyz without it', (life) => (life.answers.readyz = { status: 200, body: {} })],
    [
      'the metric',
      (life) => (life.answers.metrics = 'ccp_license_info{plan="trial",kid="other",reason=""} 1\n'),
    ],
    [
      'two metrics',
      (life) => (life.answers.metrics += 'ccp_license_info{plan="community",kid="",reason="none"} 1\n'),
    ],
    ['a metric that is not there', (life) => (life.answers.metrics = 'x 1\n')],
    [
      'the command',
      (life) => (life.answers.license = { ok: true, plan: 'trial', features: [], reason: null }),
    ],
    ['a command that says nothing readable', (life) => (life.answers.license = '')],
  ])('fails where it is told otherwise by %s, and by that alone', (_voice, alter) => {
    const { outcome, violations } = verdict((evidence) => alter(lifeIn(evidence)));
    expect(outcome).toBe('fail');
    expect(violations).toHaveLength(1);
  });

  it('fails where a wrong licence is said to be wrong for another reason', () => {
    const { violations } = verdict((evidence) => {
      const { license } = unlicensed(evidence);
      if (license.expected) license.expected.reason = 'expired';
    });
    expect(violations).toHaveLength(4);
  });

  it('does without a command that the target has not, and is inconclusive where hardly anything answers', () => {
    expect(verdict((evidence) => (lifeIn(evidence).answers.license = null))).toMatchObject({
      outcome: 'pass',
      observed: 3,
    });
    const silent = verdict((evidence) =>
      Object.assign(lifeIn(evidence).answers, { license: null, readyz: null, metrics: null }),
    );
    expect(silent).toMatchObject({ outcome: 'inconclusive' });
  });

  it('does not ask for a time that somebody else chose, but for all else', () => {
    const open = (line: (said: string) => string) => (evidence: Broken) => {
      const life = lifeIn(evidence);
      delete life.license.expected?.expires;
      life.licenseLines = life.licenseLines.map(line);
    };
    expect(verdict(open((said) => said.replace('-09T', '-10T'))).outcome).toBe('pass');
    expect(verdict(open((said) => said.replace('uat-1', 'uat-2'))).outcome).toBe('fail');
  });

  it("is skipped where the licence is the caller's own", () => {
    const { outcome } = verdict((evidence) => (lifeIn(evidence).license = { kind: 'env', expected: null }));
    expect(outcome).toBe('skipped');
  });
});
