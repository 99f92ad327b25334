/** The verdict of a run for a person at a terminal: probes, checks, what failed and why, one last line. */
import type { RunRecord } from '../run-record.ts';
import { createStyle, OUTCOME_WORDS, type Style } from './style.ts';
import { hang, wrap } from './wrap.ts';

export const WIDTH = 80;

type Verdict = RunRecord['checks'][number];

/** `where`: the run's folder, as the reader would type it. */
export function verdictText(
  record: RunRecord,
  { colour, where }: { colour: boolean; where: string },
): string {
  const style = createStyle(colour);
  return [
    '',
    ...probeTable(record, style),
    '',
    ...record.checks.flatMap((verdict) => checkLines(verdict, style)),
    ...record.checks.flatMap((verdict) => (needsWords(verdict) ? failureLines(verdict, record, style) : [])),
    '',
    lastLine(record, style),
    ...proven(record, style),
    `  ${where}`,
    '',
  ].join('\n');
}

function probeTable({ probes }: RunRecord, style: Style): string[] {
  const width = Math.max(5, ...probes.map(({ id }) => id.length));
  return probes.map(({ id, client, expectedLane, ms, ok, timedOut, exitCode }) => {
    const came = ok
      ? 'answered'
      : timedOut
        ? 'timed out'
        : exitCode === null
          ? 'was cut off'
          : 'got an error';
    const who = client === 'claude' ? 'Claude Code' : 'raw';
    return `  ${id.padEnd(width)}  ${style.dim(`${who.padEnd(11)}  ${expectedLane.padEnd(9)}`)}  ${seconds(ms).padStart(7)}  ${came}`;
  });
}

function checkLines({ id, outcome, title, observed, note }: Verdict, style: Style): string[] {
  const { word, paint } = OUTCOME_WORDS[outcome];
  const label = `  ${word.padEnd(7)}  ${id.padEnd(12)}  `;
  const count = outcome === 'skipped' ? '' : ` ${observed} seen`;
  const lines = hang(label, title, WIDTH - count.length);
  const first = `${(lines[0] ?? label).padEnd(WIDTH - count.length)}${count}`.trimEnd();
  const painted = first.replace(word, () => style[paint](word));
  const remark = note !== undefined && outcome !== 'fail' ? hang(' '.repeat(label.length), note, WIDTH) : [];
  return [painted, ...lines.slice(1), ...remark.map(style.dim)];
}

const needsWords = ({ outcome, violations }: Verdict): boolean => outcome === 'fail' && violations.length > 0;

/** More of the same teaches nothing; `run.json` has them all. */
const SHOWN = 5;

function failureLines({ id, title, violations }: Verdict, record: RunRecord, style: Style): string[] {
  const rest = violations.length - SHOWN;
  return [
    '',
    ...wrap(`FAIL ${id}: ${title}`, WIDTH).map(style.bad),
    ...violations
      .slice(0, SHOWN)
      .flatMap(({ what, expected, saw = {}, pointers }) => [
        ...hang('  - ', what, WIDTH),
        ...(expected === undefined ? [] : hang('    expected  ', expected, WIDTH)),
        ...Object.entries(saw).flatMap(([witness, sight]) =>
          hang(`    ${`${witness} saw`.padEnd(14)}  `, sight, WIDTH),
        ),
        ...(pointers.length === 0 ? [] : hang('    look at   ', pointers.join(', '), WIDTH)),
      ]),
    ...(rest > 0 ? [`  and ${rest} more, see run.json`] : []),
    `  repeat: ${reproduceLine(record, id)}`,
  ];
}

/** The command that runs the same again and judges by this check. */
export function reproduceLine({ plan }: Pick<RunRecord, 'plan'>, check: string): string {
  const { target } = plan;
  const under = target.kind === 'builtin' ? null : target.kind === 'url' ? target.url : target.command;
  const only = plan.checks.some(({ id }) => id === check) ? ['--only', check] : [];
  return [
    'ccp-uat run',
    plan.suite,
    ...only,
    '--seed',
    plan.seed,
    ...(plan.upstream === 'real' ? ['--upstream real'] : []),
    ...(under === null ? [] : ['--target', `'${under.replaceAll("'", String.raw`'\''`)}'`]),
  ].join(' ');
}

const VERDICTS: Readonly<
  Record<RunRecord['outcome'], { readonly word: string; readonly paint: keyof Style }>
> = {
  pass: { word: 'PASS', paint: 'good' },
  fail: { word: 'FAIL', paint: 'bad' },
  inconclusive: { word: 'INCONCLUSIVE', paint: 'doubt' },
};

function lastLine(record: RunRecord, style: Style): string {
  const { word, paint } = VERDICTS[record.outcome];
  const ending = record.ending === 'complete' ? '' : `, ${record.ending}`;
  return `${style[paint](word)}  ${record.suite}: ${countsOf(record)}, ${record.probes.length} probes, ${seconds(record.ms)}${ending}`;
}

/** `23 of 24 checks passed, 1 skipped`. */
export function countsOf({ checks }: Pick<RunRecord, 'checks'>): string {
  const count = (outcome: Verdict['outcome']): number =>
    checks.filter((one) => one.outcome === outcome).length;
  const others = (['fail', 'inconclusive', 'invalid', 'skipped'] as const)
    .filter((outcome) => count(outcome) > 0)
    .map((outcome) => `, ${count(outcome)} ${outcome === 'fail' ? 'failed' : outcome}`);
  return `${count('pass')} of ${checks.length} checks passed${others.join('')}`;
}

function proven({ outcome, plan }: RunRecord, style: Style): string[] {
  if (outcome !== 'pass') return [];
  return plan.proves.flatMap((claim) => hang('  ', claim, WIDTH)).map(style.dim);
}

export function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
