import { describe, expect, it } from 'vitest';
import type { Evidence } from '../evidence.ts';
import { budgetRun, hardBudgetRun, STOPPED } from '../testing/budget-run.ts';
import {
  completionIn,
  type Mutable,
  pick,
  replaceBody,
  responseOf,
  verdictOf,
} from '../testing/green-run.ts';

type Alter = (evidence: Mutable<Evidence>) => unknown;

const judged = (id: string, alter?: Alter) => verdictOf(id, undefined, budgetRun(alter));
const whatOf = (id: string, alter: Alter) => judged(id, alter).violations.map(({ what }) => what);

/** Shows the request of an exchange to Z.AI instead of Anthropic. */
const sendToZai =
  (rid: string): Alter =>
  ({ upstream }) => {
    pick(upstream, `u-${rid}-1`).observer = 'zai';
  };

describe('QUOTA-01', () => {
  it('holds where the lane got what its budget holds, and the rest went on', () => {
    expect(judged('QUOTA-01')).toMatchObject({ outcome: 'pass', observed: 6 });
  });

  it('fails where the budget never blocks, whatever the log says', () => {
    expect(whatOf('QUOTA-01', sendToZai('third'))).toEqual([
      'the lane zai got more requests than its budget holds',
      'POST /v1/messages?beta=true of probe third: is called quota_block, and zai got it',
    ]);
  });

  it('fails where the budget always blocks', () => {
    const blocked: Alter = (run) => {
      pick(run.upstream, 'u-second-1').observer = 'anth';
      Object.assign(completionIn(run, 'second'), { decision: 'quota_block' });
    };
    expect(whatOf('QUOTA-01', blocked)).toEqual([
      'the lane zai got fewer requests than its budget holds',
      'POST /v1/messages?beta=true of probe second: in mode block its record says something else',
    ]);
  });

  it('counts what was used before a restart', () => {
    const forgotten: Alter = (run) => {
      const [, hybrid] = run.lives;
      if (hybrid?.quota) hybrid.quota.mode = 'block';
    };
    expect(whatOf('QUOTA-01', forgotten)).toContain('the lane zai got more requests than its budget holds');
  });

  it('fails where the record of what was blocked says something else', () => {
    const silent: Alter = (run) =>
      Object.assign(completionIn(run, 'third'), { decision: 'to_anthropic', lane: 'anthropic' });
    expect(whatOf('QUOTA-01', silent)).toEqual([
      'POST /v1/messages?beta=true of probe third: in mode block its record says something else',
    ]);
  });

  it('fails where the decision line of what was blocked says something else', () => {
    const late: Alter = ({ usage }) => {
      const line = usage.events.find(({ event, rid }) => event === 'decision' && rid === 'third');
      Object.assign(line ?? {}, { decision: 'to_zai' });
    };
    expect(whatOf('QUOTA-01', late)).toEqual([
      'POST /v1/messages?beta=true of probe third: its decision line says something else',
    ]);
  });
});

describe('QUOTA-02', () => {
  it('holds where the lane is left alone until the reset that it stated', () => {
    expect(judged('QUOTA-02')).toMatchObject({ outcome: 'pass', observed: 1 });
  });

  it('fails where the lane is asked before its reset', () => {
    expect(whatOf('QUOTA-02', sendToZai('sixth'))).toEqual([
      'POST /v1/messages?beta=true of probe sixth: zai got it before the reset that it had stated',
    ]);
  });

  it('fails where what is kept back does not say why', () => {
    const silent: Alter = (run) => Object.assign(completionIn(run, 'sixth'), { decision: 'quota_block' });
    expect(whatOf('QUOTA-02', silent)).toEqual([
      'POST /v1/messages?beta=true of probe sixth: was kept back, and not for the cooldown',
    ]);
  });

  it('fails where the lane is left alone although it stated no limit', () => {
    const unlimited: Alter = ({ upstream }) => {
      const response = responseOf(pick(upstream, 'u-fifth-1'));
      replaceBody(response.body, '{"type":"error"}');
    };
    expect(whatOf('QUOTA-02', unlimited)).toEqual([
      'POST /v1/messages?beta=true of probe sixth: was kept from zai, which had stated no limit until then',
    ]);
  });

  it('is thin evidence where nothing was asked while it cooled down', () => {
    const late: Alter = ({ client, upstream }) => {
      pick(client, 'c-sixth').startedAt += 46_500;
      pick(upstream, 'u-sixth-1').startedAt += 46_500;
    };
    expect(judged('QUOTA-02', late).outcome).toBe('inconclusive');
  });
});

describe('a budget that nobody takes over from', () => {
  const hard = (id: string, alter?: Alter) => verdictOf(id, undefined, hardBudgetRun(alter));
  const refusal = (run: Mutable<Evidence>) => responseOf(pick(run.client, 'c-refused'));

  it('may let any of those pass that came at once, and tells the others', () => {
    expect(hard('QUOTA-01')).toMatchObject({ outcome: 'pass', observed: 2 });
    expect(hard('QUOTA-03')).toMatchObject({ outcome: 'pass', observed: 1 });
    expect(hard('ROUTE-02')).toMatchObject({ outcome: 'pass', observed: 1 });
    expect(judged('QUOTA-03')).toMatchObject({ outcome: 'skipped' });
  });

  it('is overshot by one request more', () => {
    const overshot: Alter = (run) =>
      run.upstream.push({
        ...pick(run.upstream, 'u-passed'),
        id: 'u-refused-1',
        request: pick(run.client, 'c-refused').request,
        startedAt: pick(run.client, 'c-refused').startedAt + 3,
      });
    expect(hard('QUOTA-01', overshot).violations.map(({ what }) => what)).toContain(
      'the lane anthropic got more requests than its budget holds',
    );
    expect(hard('QUOTA-03', overshot).violations.map(({ what }) => what)).toContain(
      'POST /v1/messages?beta=true of probe refused: was blocked, and sent',
    );
  });

  it('excuses nothing in a run without one', () => {
    const without: Alter = (run) => run.lives.forEach((life) => (life.quota = null));
    expect(hard('ROUTE-02', without).outcome).toBe('fail');
  });

  const header =
    (name: string, value?: string): Alter =>
    (run) => {
      const response = refusal(run);
      const others = response.headers.filter(([key]) => key !== name);
      response.headers = value === undefined ? others : [...others, [name, value]];
    };

  it.each<[string, Alter, string]>([
    ['the status is another one', (run) => (refusal(run).status = 403), 'was not answered with 429'],
    [
      'the error is another one',
      (run) => replaceBody(refusal(run).body, STOPPED.body.replace('billing', 'rate_limit')),
      'names another error',
    ],
    [
      'the error does not say why',
      (run) => replaceBody(refusal(run).body, STOPPED.body.replace('used up', '')),
      'does not say why',
    ],
    [
      'the error has another shape',
      (run) => replaceBody(refusal(run).body, STOPPED.body.replace('"error",', '"fault",')),
      "is not in the shape of Anthropic's errors",
    ],
    ['the client is to retry', header('x-should-retry', 'true'), 'invites to retry'],
    ['nothing is said of retries', header('x-should-retry'), 'invites to retry'],
    ['no time is told', header('retry-after'), 'does not say when to come back'],
    ['the time is too short', header('retry-after', '60'), 'does not say when to come back'],
    ['the time is no number of seconds', header('retry-after', 'soon'), 'does not say when to come back'],
  ])('fails where %s', (_name, alter, what) => {
    expect(hard('QUOTA-03', alter).violations.map((one) => one.what)).toEqual([
      `POST /v1/messages?beta=true of probe refused: ${what}`,
    ]);
  });
});
