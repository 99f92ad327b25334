/**
 * `junit.xml` in the form that CI systems have in common (https://github.com/testmoapp/junitxml): one suite of checks, one of
 * probes. A check that changed its mind has the property `flaky`, and fails whatever it says now. Checks are judged when
 * everything is over, so theirs is no time; probes have the time that they took.
 */
import { endedAsPlanned, fateOf, plannedIn } from '../probe-ending.ts';
import type { Flake, RunRecord } from '../run-record.ts';
import { failureText } from './failure-text.ts';
import { reproduceLine } from './repeat-line.ts';
import { flakeOn, flakeSentence } from './verdict-text.ts';

interface TestCase {
  readonly name: string;
  /** Seconds. */
  readonly time: number;
  /** On how many observations it rests. */
  readonly assertions: number;
  readonly isFlaky: boolean;
  readonly ending: 'pass' | 'failure' | 'error' | 'skipped';
  /** The element that tells of the ending; none where it passed. */
  readonly inner: string;
}

/** Of one run, or of several in one document. */
export function junitXml(...records: readonly RunRecord[]): string {
  const runs = records.map((record) => ({ record, cases: casesOf(record) }));
  const all = runs.flatMap(({ cases: { checks, probes } }) => [...checks, ...probes]);
  const name = records.map(({ suite }) => suite).join(', ');
  const seconds = records.reduce((sum, { ms }) => sum + ms, 0) / 1000;
  const [first = ''] = records.map(timestampOf).toSorted();
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escape(name)}" ${figures(all, seconds)} timestamp="${first}">`,
    ...runs.flatMap(({ record, cases }) => runLines(record, cases)),
    '</testsuites>',
    '',
  ].join('\n');
}

interface Cases {
  readonly checks: readonly TestCase[];
  readonly probes: readonly TestCase[];
}

const casesOf = (record: RunRecord): Cases => ({
  checks: record.checks.map((verdict) => checkCase(record, verdict)),
  probes: [
    ...record.probes.map((probe) => probeCase(record, probe)),
    ...record.plan.skippedProbes.map(({ id, reason }) => skippedCase(id, reason)),
  ],
});

/** Without zone and fraction: the strictest readers know no other form. */
const timestampOf = ({ startedAt }: RunRecord): string => startedAt.slice(0, 19);

function runLines(record: RunRecord, { checks, probes }: Cases): string[] {
  const { suite, ms } = record;
  const timestamp = timestampOf(record);
  return [
    ...suiteLines({
      name: `${suite}.checks`,
      cases: checks,
      time: 0,
      timestamp,
      properties: propertiesOf(record),
    }),
    ...suiteLines({ name: `${suite}.probes`, cases: probes, time: ms / 1000, timestamp, properties: [] }),
  ];
}

interface TestSuite {
  readonly name: string;
  readonly cases: readonly TestCase[];
  readonly time: number;
  readonly timestamp: string;
  readonly properties: readonly (readonly [name: string, value: string])[];
}

function suiteLines({ name, cases, time, timestamp, properties }: TestSuite): string[] {
  return [
    `  <testsuite name="${escape(name)}" ${figures(cases, time)} timestamp="${timestamp}">`,
    ...(properties.length === 0
      ? []
      : [
          '    <properties>',
          ...properties.map(
            ([key, value]) => `      <property name="${escape(key)}" value="${escape(value)}"/>`,
          ),
          '    </properties>',
        ]),
    ...cases.map((one) => caseLine(name, one)),
    '  </testsuite>',
  ];
}

function figures(cases: readonly TestCase[], time: number): string {
  const count = (ending: TestCase['ending']): number => cases.filter((one) => one.ending === ending).length;
  return [
    `tests="${cases.length}"`,
    `failures="${count('failure')}"`,
    `errors="${count('error')}"`,
    `skipped="${count('skipped')}"`,
    `assertions="${cases.reduce((sum, { assertions }) => sum + assertions, 0)}"`,
    `time="${time.toFixed(3)}"`,
  ].join(' ');
}

const FLAKY = '<properties><property name="flaky" value="true"/></properties>';

function caseLine(suite: string, { name, time, assertions, isFlaky, inner }: TestCase): string {
  const open = `    <testcase classname="${escape(suite)}" name="${escape(name)}" assertions="${assertions}" time="${time.toFixed(3)}"`;
  return inner === '' ? `${open}/>` : `${open}>${isFlaky ? FLAKY : ''}${inner}</testcase>`;
}

function checkCase(record: RunRecord, verdict: RunRecord['checks'][number]): TestCase {
  const { id, title, outcome, observed, violations, note = '' } = verdict;
  const flake = flakeOn(record, id);
  const shared = { name: `${id} ${title}`, time: 0, assertions: observed, isFlaky: flake !== undefined };
  if (outcome === 'pass')
    return { ...shared, ...(flake === undefined ? PASSED : flakyFailure(record, flake)) };
  if (outcome === 'skipped')
    return { ...shared, ending: 'skipped', inner: `<skipped message="${escape(note)}"/>` };
  const text = escape(failureText(record, verdict));
  return outcome === 'fail'
    ? {
        ...shared,
        ending: 'failure',
        inner: `<failure type="${id}" message="${escape(violations[0]?.what ?? note)}">${text}</failure>`,
      }
    : {
        ...shared,
        ending: 'error',
        inner: `<error type="${outcome}" message="${escape(note)}">${text}</error>`,
      };
}

const PASSED = { ending: 'pass', inner: '' } as const;

/** It passes now, and the run is red for it: a reader that knows no flaky check must not see a green suite. */
function flakyFailure(record: RunRecord, flake: Flake): Pick<TestCase, 'ending' | 'inner'> {
  const sentence = flakeSentence(flake);
  const text = escape(`${sentence}\n\nrepeat: ${reproduceLine(record, flake.check)} --repeat-each 10`);
  return {
    ending: 'failure',
    inner: `<failure type="flaky" message="${escape(sentence)}">${text}</failure>`,
  };
}

function probeCase({ plan }: RunRecord, probe: RunRecord['probes'][number]): TestCase {
  const shared = { name: probe.id, time: probe.ms / 1000, assertions: 1, isFlaky: false };
  const planned = plannedIn(plan, probe.id);
  if (planned === undefined || endedAsPlanned(planned, probe)) return { ...shared, ...PASSED };
  const fate = `${fateOf(probe, plan)}, where an answer was to come`;
  const text = [
    fate,
    ...(probe.text === '' ? [] : [`client saw: ${probe.text}`]),
    `by hand: ${probe.reproduce}`,
  ].join('\n\n');
  return {
    ...shared,
    ending: 'failure',
    inner: `<failure type="probe" message="${escape(fate)}">${escape(text)}</failure>`,
  };
}

const skippedCase = (id: string, reason: string): TestCase => ({
  name: id,
  time: 0,
  assertions: 0,
  isFlaky: false,
  ending: 'skipped',
  inner: `<skipped message="${escape(reason)}"/>`,
});

const propertiesOf = ({ run, plan, provenance, ending }: RunRecord): TestSuite['properties'] => [
  ['run', run],
  ['seed', plan.seed],
  ['ending', ending],
  ['upstream', plan.upstream],
  ['target', plan.target.kind],
  ['ccp-uat', provenance.version],
  ['node', provenance.node],
  ['platform', provenance.platform],
  ['claude', provenance.claude],
];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // A reader makes spaces of them in an attribute.
  '\n': '&#10;',
  '\t': '&#9;',
};

/** XML 1.0 has no way to write most control characters, so they become the replacement character. */
function escape(text: string): string {
  return text
    .replaceAll(/(?![\t\n])[\p{Cc}\ufffe\uffff]/gu, '\ufffd')
    .replaceAll(/[&<>"\n\t]/g, (character) => ENTITIES[character] ?? character)
    .toWellFormed();
}
