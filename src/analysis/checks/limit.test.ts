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
      'POST /v1/messages?beta=true of probe sixth: was sent although the lane had refused',
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

  const refused = (run: Mutable<Evidence>, status: number, body: string): void => {
    const response = responseOf(pick(run.client, 'c-third'));
    response.status = status;
    replaceBody(response.body, body);
  };
  const refusal = (type: string): string => JSON.stringify({ type: 'error', error: { type, message: 'no' } });

  it.each<[string, string, number, string]>([
    ['a wrong key', 'status 401', 401, refusal('authentication_error')],
    ['no money', 'status 402', 402, refusal('billing_error')],
    ['a budget of somebody else', 'status 429', 429, refusal('billing_error')],
    ['an error of the lane', 'status 500', 500, refusal('api_error')],
    ['an error under status 200', 'status 200', 200, '{"code":500,"msg":"no","success":false}'],
  ])('takes %s for the end of the search, and for no limit', (_name, status, code, body) => {
    const last: Alter = (run) => {
      run.suite = 'probe-limits';
      run.client = run.client.filter(({ id }) => ['c-first', 'c-second', 'c-third'].includes(id));
      refused(run, code, body);
    };
    const { outcome, note } = judged('LIMIT-01', last);
    expect(outcome).toBe('inconclusive');
    expect(note).toContain(`request 3 met no limit of a window: an answer with ${status}`);
    const more: Alter = (run) => {
      probing(run);
      refused(run, code, body);
    };
    expect(whatOf('LIMIT-01', more)).toEqual([
      'POST /v1/messages?beta=true of probe fourth: was sent although the lane had refused',
      'POST /v1/messages?beta=true of probe fifth: was sent although the lane had refused',
    ]);
  });

  it('goes on after "too fast", and not after an answer that never came', () => {
    const fast: Alter = (run) => {
      probing(run);
      refused(run, 429, refusal('rate_limit_error'));
    };
    expect(judged('LIMIT-01', fast)).toMatchObject({ outcome: 'pass', note: 'after 4 requests' });
    const cut: Alter = (run) => {
      probing(run);
      pick(run.client, 'c-third').ending = 'timeout';
    };
    expect(judged('LIMIT-01', cut).violations).toHaveLength(2);
  });
});
