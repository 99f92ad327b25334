import { expect, it } from 'vitest';
import { budgetRun } from '../../analysis/testing/budget-run.ts';
import { pick, responseOf } from '../../analysis/testing/green-run.ts';
import type { LimitPlan } from '../run-record.ts';
import { planFor } from '../testing/stored-green-run.ts';
import { limitReport } from './limit-report.ts';

const LIMITS: LimitPlan = { kind: 'limits', lane: 'zai', maxRequests: 100, mockWindow: 25 };

it('tells where the window ended, what the lane said, and when it opens again', () => {
  const evidence = budgetRun((run) => {
    pick(run.client, 'c-fifth').response = responseOf(pick(run.upstream, 'u-fifth-1'));
    run.client = run.client.filter(({ id }) => id !== 'c-sixth');
  });
  const report = limitReport({ plan: planFor(evidence), evidence }, LIMITS);
  expect(report).toContain('# The limit of the lane zai\n\nThe window was used up after 4 answers.\n');
  expect(report).toContain('| upstream | a mock, whose window is made up |');
  expect(report).toContain('| answered before | 4 requests |');
  expect(report).toContain('| tokens of these | input 4, output 4, cache_read 0,');
  expect(report).toContain(
    '| the lane said | 1308: Usage limit reached for 5 hour. Your limit will reset at',
  );
  expect(report).toContain('| opens again | 2026-01-02T03:05:05.000Z, 1 minutes later |');
});

it('says so where no limit was met', () => {
  const evidence = budgetRun((run) => {
    run.client = run.client.filter(({ id }) => ['c-first', 'c-second'].includes(id));
  });
  const report = limitReport({ plan: planFor(evidence, { upstream: 'real' }), evidence }, LIMITS);
  expect(report).toContain('No window was used up within 2 of at most 100 requests.');
  expect(report).toContain('| upstream | real |');
  expect(report).not.toContain('opens again');
});
