import { describe, expect, it } from 'vitest';
import type { Evidence } from '../evidence.ts';
import { budgetRun } from '../testing/budget-run.ts';
import { type Mutable, pick, replaceBody, responseOf, verdictOf } from '../testing/green-run.ts';

type Alter = (evidence: Mutable<Evidence>) => unknown;

const judged = (id: string, alter?: Alter) => verdictOf(id, undefined, budgetRun(alter));
const whatOf = (id: string, alter: Alter) => judged(id, alter).violations.map(({ what }) => what);

describe('LIMIT-01', () => {
  /** Without a fallback, so that the client gets the limit itself. */
  const probing: Alter = (run) => {
    run.suite = 'probe-limits';
    pick(run.client, 'c-fifth').response = responseOf(pick(run.upstream, 'u-fifth-1'));
    run.client = run.client.filter(({ id }) => id !== 'c-sixth');
  };

  it('holds where the limit was met, told its reset, and was left alone', () => {
    expect(judged('LIMIT-01', probing)).toMatchObject({ outcome: 'pass', note: 'after 4 requests' });
  });

  it('is inconclusive where no limit was met', () => {
    const none: Alter = (run) => {
      probing(run);
      run.client = run.client.filter(({ id }) => id !== 'c-fifth');
    };
    const { outcome, note } = judged('LIMIT-01', none);
    expect(outcome).toBe('inconclusive');
    expect(note).toContain('no limit within 4 requests');
  });

  it('fails where something was sent after it, or the reset is not told', () => {
    const more: Alter = (run) => {
      const { client } = structuredClone(run);
      probing(run);
      run.client.push(pick(client, 'c-sixth'));
    };
    expect(whatOf('LIMIT-01', more)).toEqual([
      'POST /v1/messages?beta=true of probe sixth: was sent although the window was used up',
    ]);
    const untold: Alter = (run) => {
      probing(run);
      replaceBody(
        responseOf(pick(run.client, 'c-fifth')).body,
        '{"error":{"code":"1308","message":"used up"}}',
      );
    };
    expect(whatOf('LIMIT-01', untold)).toEqual([
      'POST /v1/messages?beta=true of probe fifth: the lane did not say when its window opens again',
    ]);
  });
});
