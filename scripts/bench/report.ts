/** The tables of a run, in Markdown that also reads well on a terminal. */
import { cpuRatio, figure, firstByteAdded, perStream, type Results } from './results.ts';
import type { Spread } from './statistics.ts';
import { judgeTargets, type Verdict } from './targets.ts';

/** The whole report: exchanges, paced streams, first bytes, memory, targets; only of what was measured. */
export function report(results: Results): string {
  const sections = [
    exchangeTable(results),
    pacedTable(results),
    firstByteTable(results),
    memoryTable(results),
    verdictTable(judgeTargets(results)),
    failureList(results),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function exchangeTable(results: Results): string {
  const rows = results.cells
    .filter(({ work, contestant }) => !work.startsWith('paced') && contestant !== 'direct')
    .map((cell) => {
      const { work, concurrency, contestant } = cell;
      const ratio = cpuRatio(results, { work, concurrency, of: contestant, to: 'node-pipe' });
      return [
        work,
        String(concurrency),
        contestant,
        show(figure(cell, 'cpuMicros'), 0),
        show(ratio, 2),
        show(figure(cell, 'exchangesPerSecond'), 0),
      ];
    });
  return table('CPU of the proxy per exchange', rows, [
    'work',
    'at once',
    'contestant',
    'µs CPU per exchange',
    'ratio to node-pipe',
    'exchanges/s',
  ]);
}

function pacedTable(results: Results): string {
  const rows = results.cells
    .filter(({ work, contestant }) => work.startsWith('paced') && contestant !== 'direct')
    .map((cell) => [
      cell.work,
      String(cell.concurrency),
      cell.contestant,
      show(figure(cell, 'cpuMicrosPerEvent'), 1),
    ]);
  return table('Paced streams, an event every 10 ms', rows, [
    'work',
    'at once',
    'contestant',
    'µs CPU per event',
  ]);
}

function firstByteTable(results: Results): string {
  const rows = results.cells
    .filter(({ concurrency }) => concurrency === 1)
    .map((cell) => {
      const added = cell.contestant === 'direct' ? null : firstByteAdded(results, cell.work, cell.contestant);
      return [
        cell.work,
        cell.contestant,
        show(figure(cell, 'firstByteP50Ms'), 2),
        show(figure(cell, 'firstByteP99Ms'), 2),
        added === null ? '–' : added.toFixed(2),
      ];
    });
  return table('First byte of the body, one exchange at a time', rows, [
    'work',
    'contestant',
    'p50 ms',
    'p99 ms',
    'added to direct, ms',
  ]);
}

function memoryTable(results: Results): string {
  const rows = results.slow.map(({ work, streams, contestant, samples }) => {
    const first = samples[0];
    return [
      work,
      String(streams),
      contestant,
      first === undefined ? '–' : (first.idle.rssKb / 1024).toFixed(0),
      show(perStream(results, work, contestant), 0),
      samples.map(({ growthKb }) => growthKb.toFixed(1)).join(', '),
      first?.held.pssKb == null ? '–' : (first.held.pssKb / 1024).toFixed(0),
    ];
  });
  return table('Memory of slow streams, an event a second', rows, [
    'work',
    'streams',
    'contestant',
    'idle RSS, MB',
    'RSS over idle, KB a stream',
    'growth in 5 s, KB a stream',
    'PSS with all, MB',
  ]);
}

/** Where we want to be and whether we are, of what was measured. */
export function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts
    .filter(({ met }) => met !== null)
    .map((verdict) => [
      verdict.target,
      limitText(verdict),
      valueText(verdict),
      verdict.met === true ? 'met' : 'missed',
    ]);
  return table('Targets', rows, ['target', 'limit', 'measured', 'verdict']);
}

const limitText = ({ atLeast, limit, unit }: Verdict): string => `${atLeast ? '≥' : '≤'} ${limit}${unit}`;

const valueText = ({ value, unit }: Verdict): string => (value === null ? '–' : `${value.toFixed(2)}${unit}`);

function failureList({ cells, slow, skipped }: Results): string {
  const failed = [...cells, ...slow].flatMap(({ work, contestant, failures }) =>
    failures.map((message) => `- ${work}, ${contestant}: failed: ${message}`),
  );
  return [...skipped.map(({ name, reason }) => `- ${name}: skipped, ${reason}`), ...failed].join('\n');
}

/** Median, and the range it was taken from where there is one. */
function show(value: Spread | null, digits: number): string {
  if (value === null) return '–';
  const [median, min, max] = [value.median, value.min, value.max].map((number) => number.toFixed(digits));
  return min === max ? String(median) : `${median} (${min}–${max})`;
}

/** A Markdown table, padded so that a terminal shows columns; empty where there are no rows. */
function table(title: string, rows: readonly string[][], header: readonly string[]): string {
  if (rows.length === 0) return '';
  const widths = header.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [
    `### ${title}`,
    '',
    line(header),
    line(widths.map((width) => '-'.repeat(width))),
    ...rows.map(line),
  ].join('\n');
}
