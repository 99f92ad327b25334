/** `junit.xml` in the form that CI systems read: one test case a check. */
import type { RunRecord } from '../run-record.ts';

type Verdict = RunRecord['checks'][number];

export function junitXml({ suite, checks, startedAt, ms }: RunRecord): string {
  const count = (...outcomes: Verdict['outcome'][]): number =>
    checks.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const figures = [
    `tests="${checks.length}"`,
    `failures="${count('fail')}"`,
    `errors="${count('inconclusive', 'invalid')}"`,
    `skipped="${count('skipped')}"`,
    `time="${(ms / 1000).toFixed(3)}"`,
  ].join(' ');
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${figures}>`,
    `  <testsuite name="${escape(suite)}" timestamp="${startedAt}" ${figures}>`,
    ...checks.map((verdict) => testCase(suite, verdict)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
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
