import { expect, it } from 'vitest';
import { budgetRun } from '../../analysis/testing/budget-run.ts';
import { pick, responseOf } from '../../analysis/testing/green-run.ts';
import type { LimitPlan } from '../run-record.ts';
import { planFor } from '../testing/stored-green-run.ts';
import { isOfMock, limitReport, saysOfWindow } from './limit-report.ts';

const LIMITS: LimitPlan = { kind: 'limits', lane: 'zai', maxRequests: 100, mockWindow: 25 };

it('tells where the window ended, what the lane said, and when it opens again', () => {
  const evidence = budgetRun((run) => {
    pick(run.client, 'c-fifth').response = responseOf(pick(run.upstream, 'u-fifth-1'));
    run.client = run.client.filter(({ id }) => id !== 'c-sixth');
  });
  const report = limitReport({ plan: planFor(evidence), evidence, ending: 'complete' }, LIMITS);
  expect(report).toContain('# The limit of the lane zai\n\nThe window was used up after 4 answers.\n');
  expect(report).toContain('| upstream | a mock, whose window is made up |');
  expect(report).toContain('| answered before | 4 requests |');
  expect(report).toContain('| tokens of these | input 4, output 4, cache_read 0,');
  expect(report).toContain(
    '| the lane said | 1308: Usage limit reached for 5 hour. Your limit will reset at',
  );
  expect(report).toContain('| opens again | 2026-01-02T03:05:05.000Z, 1 minutes later |');
});

const unmet = budgetRun((run) => {
  run.client = run.client.filter(({ id }) => ['c-first', 'c-second'].includes(id));
});

it('says so where no limit was met', () => {
  const probed = { plan: planFor(unmet, { upstream: 'real' }), evidence: unmet, ending: 'complete' } as const;
  const limits = { ...LIMITS, maxRequests: 2 };
  const report = limitReport(probed, limits);
  expect(report).toContain('No window was used up within 2 of at most 2 requests.');
  expect(report).toContain('| upstream | real |');
  expect(report).not.toContain('opens again');
  expect([saysOfWindow(probed, limits), isOfMock(report)]).toEqual([true, false]);
});

it.each([
  [
    { ending: 'interrupted', endingNote: 'interrupted by SIGINT' },
    'The run ended as "interrupted" after 2 of at most 100 requests, before any window was used up: interrupted by SIGINT.',
  ],
  [
    { ending: 'complete' },
    'The run ended after 2 of at most 100 requests: the last was answered with status 200, and nothing was to be sent after that. It says nothing of the window.',
  ],
] as const)('says nothing of the window where it came to no end of it: %o', (ended, words) => {
  const probed = { plan: planFor(unmet), evidence: unmet, ...ended };
  expect(limitReport(probed, LIMITS)).toContain(`\n\n${words}\n\n`);
  expect(saysOfWindow(probed, LIMITS)).toBe(false);
});

it('knows its own page of a mock, and takes no other for one', () => {
  const page = limitReport({ plan: planFor(unmet), evidence: unmet, ending: 'complete' }, LIMITS);
  expect([page, '# What another program found', ''].map(isOfMock)).toEqual([true, false, false]);
});

it('says of one that was interrupted once the limit was met both', () => {
  const evidence = budgetRun((run) => {
    pick(run.client, 'c-fifth').response = responseOf(pick(run.upstream, 'u-fifth-1'));
  });
  const probed = {
    plan: planFor(evidence),
    evidence,
    ending: 'interrupted',
    endingNote: 'by SIGINT',
  } as const;
  expect(limitReport(probed, LIMITS)).toContain(
    'The window was used up after 4 answers. The run ended as "interrupted" then: by SIGINT.',
  );
});
