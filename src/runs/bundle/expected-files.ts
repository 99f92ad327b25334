/** What the folder of a run has, by what kind of run it is. */
import type { Plan } from '../run-record.ts';
import { SELFTEST } from '../selftest/selftest-record.ts';
import { LIMIT_REPORT } from './derived.ts';

/** Gaps are told by it, so it holds nothing that such a run never has. */
export function expectedFiles({
  suite,
  driver,
  target,
  partOf,
}: Pick<Plan, 'suite' | 'driver' | 'target' | 'partOf'>): string[] {
  // What is said of a part of a night is said of the night.
  if (partOf !== undefined) return ['usage.jsonl', 'proxy.log', ...WITNESSED];
  const reports = ['run.json', 'SUMMARY.md', 'junit.xml', 'ctrf-report.json', 'report.html'];
  // A night keeps the witnesses of its red rounds alone, in folders of their own.
  if (driver?.kind === 'overnight') return [...reports, 'NIGHT.json', 'METRICS.json', 'usage.jsonl'];
  return [
    ...reports,
    // What a proxy that was running already writes is out of reach.
    ...(target.kind === 'url' ? [] : ['METRICS.json', 'usage.jsonl', 'proxy.log']),
    ...WITNESSED,
    ...(driver?.kind === 'soak' ? ['witness/crashes.jsonl'] : []),
    ...(driver?.kind === 'limits' ? [LIMIT_REPORT] : []),
    ...(suite === SELFTEST ? ['selftest.json', 'selftest.html'] : []),
  ];
}

const WITNESSED = ['client', 'upstream', 'proxy', 'store', 'canaries', 'artifacts'].map(
  (name) => `witness/${name}.jsonl`,
);
