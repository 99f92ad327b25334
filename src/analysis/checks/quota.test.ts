import { describe, expect, it } from 'vitest';
import type { Evidence } from '../evidence.ts';
import { budgetRun } from '../testing/budget-run.ts';
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
