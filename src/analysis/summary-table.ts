/** A summary for people: fixed-width text, the same on a terminal and in a file. */
import type { Percentiles } from './log-histogram.ts';
import { printable } from './printable.ts';
import { type Counts, DIMENSIONS, type Summary } from './summarize.ts';
import type { Group } from './summary-group.ts';

/** The whole summary as text that ends with a newline. */
export function formatSummary(summary: Summary): string {
  const { kinds, span, sse } = summary;
  const sections = [
    [
      `${summary.lines} lines: ${kinds.completion} completions, ${kinds.decision} decisions, ` +
        `${kinds.stream_start} stream starts, ${kinds.unknown} of unknown kind, ${summary.bad.count} bad`,
      ...(span === null ? [] : [`from ${span.first} to ${span.last}`]),
      ...badLines(summary),
    ],
    ...DIMENSIONS.map((dimension) => groupTable(dimension, summary.by[dimension])),
    [
      countLine('first decisions', summary.decisions.first),
      countLine('final decisions', summary.decisions.final),
      countLine('reasons', summary.reasons),
      countLine('statuses', summary.statuses),
      countLine('errors', summary.errors),
    ],
    [
      `streams: ${sse.streams}, ${sse.finished} finished; ${sse.events} events, ${sse.chunks} chunks, ${sse.bytes} bytes`,
      percentileLine('  duration', sse.duration_ms),
      percentileLine('  longest gap', sse.max_gap_ms),
    ],
    [
      `Percentiles are within ${summary.relative_error * 100} %.`,
      ...summary.overflowed.map((name) => `Too many values of ${name}: the rest is under "other".`),
    ],
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function badLines({ bad }: Summary): string[] {
  const shown = bad.examples.map(({ source, line, problem }) => `  ${source}:${line}: ${problem}`);
  const more = bad.count - bad.examples.length;
  return more > 0 ? [...shown, `  … and ${more} more`] : shown;
}

const HEAD = ['n', 'errors', 'in', 'out', 'cached', 'p50', 'p95', 'p99', 'ttfb p50', 'ttfb p95', 'ttfb n'];

function groupTable(dimension: string, groups: Readonly<Record<string, Group>>): string[] {
  const rows = Object.entries(groups).map(([label, group]) => [printable(label), ...cellsOf(group)]);
  return alignColumns([[dimension, ...HEAD], ...rows]);
}

function cellsOf({ completions, errors, tokens, latency_ms: latency, ttfb_ms: ttfb }: Group): string[] {
  return [
    String(completions),
    String(errors),
    String(tokens.input + tokens.cache_write_5m + tokens.cache_write_1h),
    String(tokens.output),
    String(tokens.cache_read),
    ...[latency.p50, latency.p95, latency.p99, ttfb.p50, ttfb.p95].map(duration),
    String(ttfb.n),
  ];
}

/** The first column to the left, figures to the right. */
function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
}

function countLine(name: string, counts: Counts): string {
  const parts = Object.entries(counts).map(([label, count]) => `${printable(label)} ${count}`);
  return `${name}: ${parts.join(', ') || 'none'}`;
}

function percentileLine(name: string, { n, p50, p90, p95, p99, max }: Percentiles): string {
  const figures = Object.entries({ p50, p90, p95, p99, max }).map(([key, ms]) => `${key} ${duration(ms)}`);
  return `${name}: ${figures.join(', ')} (n ${n})`;
}

const duration = (ms: number | null): string =>
  ms === null ? '–' : ms < 10_000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(1)} s`;
