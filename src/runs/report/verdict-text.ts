/** The verdict of a run for a person at a terminal: probes, checks, what failed and why, one last line. */
import type { RunRecord } from '../run-record.ts';
import { OUTCOME_WORDS, type Paint } from './style.ts';
import { hang, wrap } from './wrap.ts';

export const WIDTH = 80;

type Verdict = RunRecord['checks'][number];

/** `where`: the run's folder, as the reader would type it. */
export function verdictText(record: RunRecord, { paint, where }: { paint: Paint; where: string }): string {
  return [
    '',
    ...probeTable(record, paint),
    '',
    ...record.checks.flatMap((verdict) => checkLines(verdict, paint)),
    ...record.checks.flatMap((verdict) => (needsWords(verdict) ? failureLines(verdict, record, paint) : [])),
    '',
    lastLine(record, paint),
    ...proven(record, paint),
    `  ${where}`,
    '',
  ].join('\n');
}

function probeTable({ probes }: RunRecord, paint: Paint): string[] {
  const width = Math.max(5, ...probes.map(({ id }) => id.length));
  return probes.map(({ client, ...probe }) => {
    const who = (client === 'claude' ? 'Claude Code' : 'raw').padEnd(11);
    const how = paint('dim', `${who}  ${probe.expectedLane.padEnd(9)}`);
    return `  ${probe.id.padEnd(width)}  ${how}  ${seconds(probe.ms).padStart(7)}  ${fateOf(probe)}`;
  });
}

function fateOf({
  ok,
  timedOut,
  exitCode,
}: Pick<RunRecord['probes'][number], 'ok' | 'timedOut' | 'exitCode'>): string {
  if (ok) return 'answered';
  if (timedOut) return 'timed out';
  return exitCode === null ? 'was cut off' : 'got an error';
}

function checkLines({ id, outcome, title, observed, note }: Verdict, paint: Paint): string[] {
  const [word, style] = OUTCOME_WORDS[outcome];
  const label = `  ${word.padEnd(7)}  ${id.padEnd(12)}  `;
  const count = outcome === 'skipped' ? '' : ` ${observed} seen`;
  const lines = hang(label, title, WIDTH - count.length);
  const first = `${(lines[0] ?? label).padEnd(WIDTH - count.length)}${count}`.trimEnd();
  const painted = first.replace(word, () => paint(style, word));
  const remark = note !== undefined && outcome !== 'fail' ? hang(' '.repeat(label.length), note, WIDTH) : [];
  return [painted, ...lines.slice(1), ...remark.map((line) => paint('dim', line))];
}

const needsWords = ({ outcome, violations }: Verdict): boolean => outcome === 'fail' && violations.length > 0;

/** More of the same teaches nothing; `run.json` has them all. */
const SHOWN = 5;

function failureLines({ id, title, violations }: Verdict, record: RunRecord, paint: Paint): string[] {
  const rest = violations.length - SHOWN;
  return [
    '',
    ...wrap(`FAIL ${id}: ${title}`, WIDTH).map((line) => paint('red', line)),
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

const VERDICTS = {
  pass: ['PASS', 'green'],
  fail: ['FAIL', 'red'],
  inconclusive: ['INCONCLUSIVE', 'yellow'],
} as const satisfies Record<RunRecord['outcome'], unknown>;

function lastLine(record: RunRecord, paint: Paint): string {
  const [word, style] = VERDICTS[record.outcome];
  const ending = record.ending === 'complete' ? '' : `, ${record.ending}`;
  return `${paint(style, word)}  ${record.suite}: ${countsOf(record)}, ${record.probes.length} probes, ${seconds(record.ms)}${ending}`;
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

function proven({ outcome, plan }: RunRecord, paint: Paint): string[] {
  if (outcome !== 'pass') return [];
  return plan.proves.flatMap((claim) => hang('  ', claim, WIDTH)).map((line) => paint('dim', line));
}

export function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
