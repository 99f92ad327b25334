/**
 * `ctrf-report.json`, the Common Test Report Format (https://ctrf.io, schema in the repository ctrf-io/ctrf): the checks, then
 * the probes. The format has no word for a check that saw too little: it is `other`, which no reader takes for a pass.
 */
import { endedAsPlanned, fateOf, plannedIn } from '../probe-ending.ts';
import type { RunRecord } from '../run-record.ts';
import { failureText } from './failure-text.ts';
import { flakeOn, flakeSentence } from './verdict-text.ts';

const SPEC_VERSION = '1.0.0';

type Status = 'passed' | 'failed' | 'skipped' | 'pending' | 'other';

interface Test {
  readonly name: string;
  readonly status: Status;
  /** Milliseconds, whole, as all times of the format. */
  readonly duration: number;
  readonly start?: number;
  readonly stop?: number;
  readonly suite: readonly string[];
  readonly rawStatus: string;
  /** It changed its mind: the status is of the run that is red for it, what it says now is `rawStatus`. */
  readonly flaky?: true;
  readonly message?: string;
  readonly trace?: string;
}

const STATUS = {
  pass: 'passed',
  fail: 'failed',
  skipped: 'skipped',
  inconclusive: 'other',
  invalid: 'other',
} as const satisfies Record<RunRecord['checks'][number]['outcome'], Status>;

export function ctrfJson(record: RunRecord): string {
  const { suite, run, ms, startedAt, provenance, plan, ending, outcome } = record;
  const tests: Test[] = [
    ...record.checks.map((verdict) => checkTest(record, verdict)),
    ...record.probes.map((probe) => probeTest(record, probe)),
    ...plan.skippedProbes.map(({ id, reason }) => skippedTest(suite, id, reason)),
  ];
  const count = (status: Status): number => tests.filter((test) => test.status === status).length;
  const start = Date.parse(startedAt);
  const report = {
    reportFormat: 'CTRF',
    specVersion: SPEC_VERSION,
    timestamp: new Date(start + ms).toISOString(),
    generatedBy: 'ccp-uat',
    results: {
      tool: { name: 'ccp-uat', version: provenance.version },
      summary: {
        tests: tests.length,
        passed: count('passed'),
        failed: count('failed'),
        skipped: count('skipped'),
        pending: count('pending'),
        other: count('other'),
        flaky: tests.filter(({ flaky }) => flaky).length,
        suites: 2,
        start,
        stop: Math.round(start + ms),
        duration: Math.round(ms),
      },
      tests,
      environment: {
        reportName: run,
        appName: 'ccp',
        appVersion: provenance.version,
        osPlatform: provenance.platform,
        testEnvironment: plan.upstream,
        healthy: outcome === 'pass' && ending === 'complete',
        extra: { seed: plan.seed, ending, node: provenance.node, claude: provenance.claude },
      },
    },
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

function checkTest(record: RunRecord, verdict: RunRecord['checks'][number]): Test {
  const { id, title, outcome, violations, note } = verdict;
  const flake = flakeOn(record, id);
  const message = violations[0]?.what ?? (flake === undefined ? note : flakeSentence(flake));
  return {
    name: `${id} ${title}`,
    status: flake === undefined ? STATUS[outcome] : 'failed',
    duration: 0,
    suite: [record.suite, 'checks'],
    rawStatus: outcome,
    ...(flake !== undefined && { flaky: true }),
    ...(message !== undefined && (outcome !== 'pass' || flake !== undefined) && { message }),
    ...(outcome !== 'pass' && outcome !== 'skipped' && { trace: failureText(record, verdict) }),
  };
}

function probeTest({ suite, plan }: RunRecord, probe: RunRecord['probes'][number]): Test {
  const planned = plannedIn(plan, probe.id);
  const ok = planned === undefined || endedAsPlanned(planned, probe);
  const fate = fateOf(probe, plan);
  return {
    name: probe.id,
    status: ok ? 'passed' : 'failed',
    duration: Math.round(probe.ms),
    start: Math.round(probe.startedAt),
    stop: Math.round(probe.startedAt + probe.ms),
    suite: [suite, 'probes'],
    rawStatus: fate,
    ...(!ok && {
      message: `${fate}, where an answer was to come`,
      trace: `${probe.text}\n\nby hand: ${probe.reproduce}`,
    }),
  };
}

const skippedTest = (suite: string, id: string, reason: string): Test => ({
  name: id,
  status: 'skipped',
  duration: 0,
  suite: [suite, 'probes'],
  rawStatus: 'not sent',
  message: reason,
});
