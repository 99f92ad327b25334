import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome, Verdict } from '../analysis/check.ts';
import { CHECKS } from '../analysis/checks/index.ts';
import { greenNight } from '../analysis/testing/green-night.ts';
import { NOT_IN_EVERY_RUN, pick } from '../analysis/testing/green-run.ts';
import { exitCodeOf, judgeRun, outcomeOf, recordOf } from './judge.ts';
import { probesOf } from './report/verdict-text.ts';
import { type NightPlan, type Plan, runRecordSchema } from './run-record.ts';
import { readStoredRun } from './stored/stored-run.ts';
import { BEGIN, storeGreenRun, temporaryFolder } from './testing/stored-green-run.ts';

let parent: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  parent = await temporaryFolder();
});
afterAll(() => parent[Symbol.asyncDispose]());

const NIGHT: NightPlan = {
  kind: 'overnight',
  maxMs: 360_000,
  pauseMs: 0,
  roundMs: 60_000,
  perRound: 20,
  width: 4,
  until: 'red',
  chaos: true,
  clients: 'raw',
  toggles: true,
  roundChecks: ['ROUTE-01'],
};

const verdicts = (...outcomes: Outcome[]): Verdict[] =>
  outcomes.map((outcome, index) => ({ id: `A-0${index}`, title: 'a', outcome, observed: 1, violations: [] }));

describe('the outcome of a run', () => {
  it.each([
    [['pass', 'skipped'], 'pass'],
    [['pass', 'fail', 'inconclusive'], 'fail'],
    [['pass', 'inconclusive'], 'inconclusive'],
    [['pass', 'invalid'], 'inconclusive'],
    [['inconclusive', 'skipped'], 'inconclusive'],
    [['skipped'], 'fail'],
    [[], 'fail'],
  ] as const)('of %j is %s', (outcomes, outcome) => {
    expect(outcomeOf(verdicts(...outcomes))).toBe(outcome);
  });
});

describe('the exit code', () => {
  it.each([
    [{ outcome: 'pass', ending: 'complete' }, 0],
    [{ outcome: 'fail', ending: 'complete' }, 1],
    [{ outcome: 'inconclusive', ending: 'complete' }, 1],
    [{ outcome: 'pass', ending: 'interrupted' }, 130],
    [{ outcome: 'pass', ending: 'broken' }, 3],
    [{ outcome: 'pass', ending: 'died' }, 1],
  ] as const)('of %j is %i', (run, code) => {
    expect(exitCodeOf(run, { brokenBy: 3 })).toBe(code);
  });

  it.each([
    ['inconclusive', 'complete', 0],
    ['fail', 'complete', 1],
    ['inconclusive', 'interrupted', 130],
  ] as const)('of a run that is %s and %s, where that is tolerated, is %i', (outcome, ending, code) => {
    expect(exitCodeOf({ outcome, ending }, { isTolerated: true })).toBe(code);
  });
});

describe('a stored run', () => {
  it('is judged green where it was, and the record has the published form', async () => {
    const { folder } = await storeGreenRun(parent.path);
    const record = recordOf(await readStoredRun(folder.path), CHECKS);
    expect(record.checks.filter(({ outcome }) => outcome !== 'pass').map(({ id }) => id)).toEqual(
      NOT_IN_EVERY_RUN,
    );
    expect(record).toMatchObject({ outcome: 'pass', ending: 'complete', exitCode: 0 });
    expect(runRecordSchema.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
  });

  it('with a check that nobody could judge is inconclusive and claims nothing, also where that is allowed: then the exit code is 0', async () => {
    const judged = async (plan: Partial<Plan>, blind = false) => {
      const checks = [{ id: 'GONE-01', title: 'a' }, ...(blind ? [] : [{ id: 'ROUTE-01', title: 'b' }])];
      const { folder } = await storeGreenRun(parent.path, undefined, { checks, ...plan });
      const { outcome, exitCode, claims } = recordOf(await readStoredRun(folder.path), CHECKS);
      return { outcome, exitCode, claims };
    };
    const unsure = { outcome: 'inconclusive', claims: [] };
    expect(await judged({})).toEqual({ ...unsure, exitCode: 1 });
    expect(await judged({ allowInconclusive: true })).toEqual({ ...unsure, exitCode: 0 });
    // Where nothing at all was shown there is nothing to go on with.
    expect(await judged({ allowInconclusive: true }, true)).toEqual({ ...unsure, exitCode: 1 });
  });

  it('that is a night tells how many probes its rounds judged, and how many beside them were set aside', async () => {
    const { rounds } = greenNight();
    const { folder } = await storeGreenRun(parent.path, (evidence) => void (evidence.probes = []), {
      driver: NIGHT,
      waves: [],
    });
    for (const account of rounds) folder.append({ type: 'round_judged', at: BEGIN, account });
    const record = recordOf(await readStoredRun(folder.path), CHECKS);
    expect(record.night).toEqual({ rounds: 6, interrupted: 0, probes: 119, setAside: 1, exchanges: 119 });
    // One was under way when the proxy was killed.
    expect(record.checks[0]).toMatchObject({
      id: 'RUN-01',
      outcome: 'pass',
      observed: 119,
      note: expect.stringMatching(/^set aside, .*: 1 probe$/),
    });
    expect(probesOf(record)).toBe('119 probes (and 1 set aside) in 6 rounds');
    expect(runRecordSchema.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
  });

  it.each([
    ['red', 2, 'fail'],
    ['red', 6, 'fail'],
    // Those before the green one may be red.
    ['green', 2, 'pass'],
    ['green', 6, 'fail'],
  ] as const)(
    'that is a night until %s does not pass for whole where the probes of round %i did not end as planned',
    async (until, number, outcome) => {
      const { rounds } = greenNight();
      const { folder } = await storeGreenRun(parent.path, (evidence) => void (evidence.probes = []), {
        driver: { ...NIGHT, until },
        waves: [],
      });
      const red = [{ id: 'RUN-01', outcome: 'fail', what: 'r-15: timed out, where an answer was to come' }];
      for (const account of rounds) {
        const verdict =
          account.round === number ? { outcome: 'fail' as const, passed: [], red } : account.verdict;
        folder.append({ type: 'round_judged', at: BEGIN, account: { ...account, verdict } });
      }
      const whole = judgeRun(await readStoredRun(folder.path), CHECKS)[0];
      expect(whole).toMatchObject({ id: 'RUN-01', outcome });
      if (outcome === 'fail')
        expect(whole?.violations).toEqual([
          {
            what: `round ${number}: r-15: timed out, where an answer was to come`,
            pointers: ['events.jsonl'],
          },
        ]);
    },
  );

  it('that is a night which was resumed counts the interrupted round apart from the one that it was carried out as again', async () => {
    const [first, second, ...others] = greenNight().rounds;
    if (first === undefined || second === undefined) throw new Error('there are six rounds');
    const { folder } = await storeGreenRun(parent.path, (evidence) => void (evidence.probes = []), {
      driver: NIGHT,
      proves: ['It works.'],
      checks: CHECKS.filter(({ id }) => id === 'NIGHT-02').map(({ id, title }) => ({ id, title })),
      waves: [],
    });
    for (const account of [first, { ...second, partial: true, sent: 7, setAside: 2 }, second, ...others])
      folder.append({ type: 'round_judged', at: BEGIN, account });
    const record = recordOf(await readStoredRun(folder.path), CHECKS);
    expect(record.night).toMatchObject({ rounds: 6, interrupted: 1, probes: 124, setAside: 3 });
    expect(record.checks[0]).toMatchObject({ id: 'RUN-01', observed: 124 });
    const words = '6 rounds and 1 that was interrupted';
    expect(probesOf(record)).toBe(`124 probes (and 3 set aside) in ${words}`);
    expect(record.claims.at(-1)).toContain(words);
    expect(record.checks[1]?.note).toContain(words);
  });

  it('fails by its own check where a planned probe was never sent', async () => {
    const extra = { id: 'never', client: 'curl', model: 'm', lane: 'zai', op: 'stream' } as const;
    const { folder, plan } = await storeGreenRun(parent.path);
    const stored = await readStoredRun(folder.path);
    const judged = judgeRun({ ...stored, plan: { ...plan, waves: [...plan.waves, [extra]] } }, CHECKS);
    expect(judged[0]).toMatchObject({ id: 'RUN-01', outcome: 'fail' });
    expect(judged[0]?.violations[0]?.what).toContain('never');
  });

  it.each([
    ['an error', { ok: false, exitCode: 1, timedOut: false }],
    ['timed out', { ok: false, exitCode: null, timedOut: true }],
  ])('fails by its own check where a probe came back as %s that nobody played', async (fate, ending) => {
    const { folder, plan } = await storeGreenRun(parent.path, ({ probes }) =>
      Object.assign(probes[0] ?? {}, ending),
    );
    const stored = await readStoredRun(folder.path);
    const [own] = judgeRun(stored, CHECKS);
    expect(own).toMatchObject({ id: 'RUN-01', outcome: 'fail' });
    expect(own?.violations[0]?.what).toContain(fate);

    const waves = plan.waves.map((wave) => wave.map((probe) => ({ ...probe, mayFail: true as const })));
    const played = judgeRun({ ...stored, plan: { ...plan, waves } }, CHECKS)[0]?.outcome;
    expect(played).toBe(ending.timedOut ? 'fail' : 'pass');
  });

  it.each([
    ['cut short, is not accused of the probe that was under way', false, 'pass'],
    ['whole all the same, is judged by that probe', true, 'fail'],
  ])('that was interrupted, with the answer %s', async (_, ok, routed) => {
    const cut = 'sonnet-json';
    const { folder } = await storeGreenRun(parent.path, ({ probes, upstream }) => {
      Object.assign(pick(probes, cut), { ok, exitCode: ok ? 0 : 1 });
      pick(upstream, `u-${cut}`).observer = 'zai';
    });
    const note = 'interrupted by the test';
    folder.append({ type: 'interrupted', at: BEGIN + 1000, note, underWay: [cut] });
    const stored = await readStoredRun(folder.path);
    const judged = judgeRun({ ...stored, ending: 'interrupted', endingNote: note }, CHECKS);
    expect(judged.find(({ id }) => id === 'ROUTE-02')?.outcome).toBe(routed);
    expect(judged[0]).toMatchObject({
      id: 'RUN-01',
      outcome: 'fail',
      violations: [{ what: expect.stringContaining(note) }],
      ...(!ok && {
        note: `set aside, as under way when the proxy was killed or the run interrupted: ${cut}`,
      }),
    });
  });

  it('fails by its own check where a probe that was to leave was refused before', async () => {
    const { folder, plan } = await storeGreenRun(parent.path, ({ probes }) =>
      Object.assign(probes[0] ?? {}, { ok: false, exitCode: 0 }),
    );
    const waves = plan.waves.map((wave) => wave.map((probe) => ({ ...probe, leaveAfterBytes: 9 })));
    const [own] = judgeRun({ ...(await readStoredRun(folder.path)), plan: { ...plan, waves } }, CHECKS);
    expect(own).toMatchObject({ id: 'RUN-01', outcome: 'fail' });
  });

  it('says which probes were left out, and is not failed for it', async () => {
    const skippedProbes = [{ id: 'claude', reason: 'Claude Code was not found' }];
    const { folder } = await storeGreenRun(parent.path, undefined, { skippedProbes });
    const [whole] = judgeRun(await readStoredRun(folder.path), CHECKS);
    expect(whole).toMatchObject({
      outcome: 'pass',
      note: expect.stringContaining('Claude Code was not found'),
    });
  });

  it('fails where the plan names no check', async () => {
    const { folder } = await storeGreenRun(parent.path, undefined, { checks: [] });
    expect(recordOf(await readStoredRun(folder.path), CHECKS)).toMatchObject({
      outcome: 'fail',
      exitCode: 1,
    });
  });

  it('skips by the record only what such a run cannot be judged by, whatever its plan says', async () => {
    const checks = [
      { id: 'ROUTE-01', title: 'a', skip: 'I would rather not' },
      { id: 'LOG-01', title: 'b' },
      { id: 'GONE-01', title: 'c', skip: 'no witness' },
    ];
    const outcomes = async (plan: Partial<Plan>) => {
      const { folder } = await storeGreenRun(parent.path, undefined, { checks, ...plan });
      const record = recordOf(await readStoredRun(folder.path), CHECKS);
      return record.checks.slice(1).map(({ outcome, note }) => [outcome, note]);
    };
    expect(await outcomes({})).toEqual([
      ['pass', undefined],
      ['pass', undefined],
      ['skipped', 'no witness'],
    ]);
    expect((await outcomes({ upstream: 'real' }))[0]).toEqual([
      'skipped',
      'a real upstream gives no transcript',
    ]);
  });

  it('skips what the plan says cannot be judged, and calls a check that is no longer there invalid', async () => {
    const checks = [
      { id: 'ROUTE-01', title: 'a', skip: 'no witness' },
      { id: 'GONE-01', title: 'b' },
      { id: 'ROUTE-02', title: 'c' },
    ];
    const { folder } = await storeGreenRun(parent.path, undefined, { checks });
    const judged = judgeRun(await readStoredRun(folder.path), CHECKS).slice(1);
    expect(judged.map(({ outcome, note }) => [outcome, note])).toEqual([
      ['skipped', 'no witness'],
      ['invalid', expect.stringContaining('no longer')],
      ['pass', undefined],
    ]);
  });
});
