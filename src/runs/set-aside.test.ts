import { expect, it } from 'vitest';
import { CHECKS } from '../analysis/checks/index.ts';
import type { Evidence } from '../analysis/evidence.ts';
import { judgeAll } from '../analysis/judge.ts';
import { greenRun } from '../analysis/testing/green-run.ts';
import { createCanaries } from '../harness/canaries.ts';
import { setAsideUnfinished } from './set-aside.ts';

const SEED = '5eed';
const phrase = createCanaries(SEED).prompt('lost', []);

/** One exchange whose client could not put its side on record any more. */
const halfSeen = (): Evidence =>
  greenRun((evidence) => {
    const at = evidence.client.findIndex(({ requestId }) => requestId !== undefined);
    const [client] = evidence.client.splice(at, 1);
    const upstream = evidence.upstream.find(({ requestId }) => requestId === client?.requestId);
    if (upstream === undefined) throw new Error('the client had no upstream');
    upstream.request.headers.push(['x-claude-code-session-id', phrase]);
  });

const accused = (evidence: Evidence): string[] =>
  judgeAll(CHECKS, evidence)
    .filter(({ id, outcome }) => outcome === 'fail' && /^(HEADER-02|RECONCILE)/.test(id))
    .map(({ id }) => id);

it('accuses nobody of what a run could not see because it died', () => {
  const evidence = halfSeen();
  expect(accused(evidence)).toEqual(expect.arrayContaining(['HEADER-02', 'RECONCILE-01', 'RECONCILE-02']));
  const rest = setAsideUnfinished(evidence, { lost: ['lost'], seed: SEED });
  expect(accused(rest)).toEqual([]);
  expect(rest.upstream).toHaveLength(evidence.upstream.length - 1);
});

it('keeps everything of probes that had ended', () => {
  const evidence = halfSeen();
  const rest = setAsideUnfinished(evidence, { lost: ['another'], seed: SEED });
  expect(rest.upstream).toEqual(evidence.upstream);
  expect(accused(rest)).toContain('HEADER-02');
});
