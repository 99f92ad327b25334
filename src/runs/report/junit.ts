/** `junit.xml` in the form that CI systems read: one test case a check. */
import type { RunRecord } from '../run-record.ts';

type Verdict = RunRecord['checks'][number];

/** One suite a run. */
export function junitXml(...records: readonly RunRecord[]): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${figuresOf(records)}>`,
    ...records.flatMap((record) => [
      `  <testsuite name="${escape(record.suite)}" timestamp="${record.startedAt}" ${figuresOf([record])}>`,
      ...record.checks.map((verdict) => testCase(record.suite, verdict)),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

function figuresOf(records: readonly RunRecord[]): string {
  const checks = records.flatMap((record) => record.checks);
  const count = (...outcomes: Verdict['outcome'][]): number =>
    checks.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const ms = records.reduce((sum, record) => sum + record.ms, 0);
  return [
    `tests="${checks.length}"`,
    `failures="${count('fail')}"`,
    `errors="${count('inconclusive', 'invalid')}"`,
    `skipped="${count('skipped')}"`,
    `time="${(ms / 1000).toFixed(3)}"`,
  ].join(' ');
}

function testCase(suite: string, verdict: Verdict): string {
  const open = `    <testcase classname="${escape(suite)}" name="${escape(`${verdict.id} ${verdict.title}`)}"`;
  const inner = innerOf(verdict);
  return inner === null ? `${open}/>` : `${open}>${inner}</testcase>`;
}

function innerOf({ outcome, violations, note = '' }: Verdict): string | null {
  if (outcome === 'pass') return null;
  if (outcome === 'skipped') return `<skipped message="${escape(note)}"/>`;
  if (outcome !== 'fail') return `<error type="${outcome}" message="${escape(note)}"/>`;
  const details = violations.map(({ what, expected, saw = {}, pointers }) =>
    [
      what,
      ...(expected === undefined ? [] : [`expected: ${expected}`]),
      ...Object.entries(saw).map(([witness, sight]) => `${witness} saw: ${sight}`),
      ...(pointers.length === 0 ? [] : [`look at: ${pointers.join(', ')}`]),
    ].join('\n'),
  );
  return `<failure message="${escape(violations[0]?.what ?? note)}">${escape(details.join('\n\n'))}</failure>`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML 1.0 has no way to write most control characters, so they become the replacement character. */
function escape(text: string): string {
  return text
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character)
    .replaceAll(/(?![\t\n\r])[\p{Cc}\ufffe\uffff]/gu, '\ufffd')
    .toWellFormed();
}
