/** What a usage log adds up to, in one pass and bounded memory, whatever its size and state. */
import type { JsonObject } from './json.ts';
import { createCounter, createLabelled } from './labelled.ts';
import { bucketOf, RELATIVE_ERROR } from './log-histogram.ts';
import { type LogReading, type LogSource, readLog } from './log-reader.ts';
import { kindOf, type LogKind, type LogView, viewOf, word } from './log-view.ts';
import { createGroup, createSse, type Group, type SseSummary } from './summary-group.ts';

export interface Summary {
  readonly lines: number;
  /** Lines that are no JSON objects: their number, and the first of them. */
  readonly bad: LogReading['bad'];
  readonly kinds: Readonly<Record<LogKind, number>>;
  /** Timestamps of the earliest and the latest line that has one. */
  readonly span: { readonly first: string; readonly last: string } | null;
  /** All completions. */
  readonly total: Group;
  readonly by: Readonly<Record<Dimension, Readonly<Record<string, Group>>>>;
  /** First decisions (decision lines) and final ones (completions). */
  readonly decisions: { readonly first: Counts; readonly final: Counts };
  readonly reasons: Counts;
  readonly statuses: Counts;
  readonly errors: Counts;
  readonly sse: SseSummary;
  /** Percentiles are within this share of the true value. */
  readonly relative_error: number;
  /** Dimensions with more values than are kept apart: the rest stands under `other`. */
  readonly overflowed: readonly string[];
}

export const DIMENSIONS = ['lane', 'op', 'header_mode', 'protocol', 'model'] as const;
export type Dimension = (typeof DIMENSIONS)[number];
export type Counts = Readonly<Record<string, number>>;

/** More models than this are somebody's typing; their figures are kept together. */
const MAX_MODELS = 200;
/** Every other label is from a short list; only a damaged log has more. */
const MAX_LABELS = 50;
/** Summarises a log. Errors of the sources pass through; nothing in a log is one. */
export async function summarize(sources: Iterable<LogSource> | AsyncIterable<LogSource>): Promise<Summary> {
  const summary = createSummary();
  const reading = await readLog(sources, (record) => summary.add(record));
  return summary.result(reading);
}

/** The summary as an accumulator, for one pass that feeds several analyses. */
export function createSummary() {
  const kinds = { decision: 0, stream_start: 0, completion: 0, unknown: 0 };
  const span = createSpan();
  const total = createGroup();
  const by = {
    lane: createLabelled(MAX_LABELS, createGroup),
    op: createLabelled(MAX_LABELS, createGroup),
    header_mode: createLabelled(MAX_LABELS, createGroup),
    protocol: createLabelled(MAX_LABELS, createGroup),
    model: createLabelled(MAX_MODELS, createGroup),
  };
  const counters = {
    first_decision: createLabelled(MAX_LABELS, createCounter),
    final_decision: createLabelled(MAX_LABELS, createCounter),
    reason: createLabelled(MAX_LABELS, createCounter),
    status: createLabelled(MAX_LABELS, createCounter),
    err_type: createLabelled(MAX_LABELS, createCounter),
  };
  const sse = createSse();

  function addCompletion(view: LogView): void {
    const latency = view.latencyMs === undefined ? 0 : bucketOf(view.latencyMs);
    const ttfb = view.ttfbMs === undefined ? 0 : bucketOf(view.ttfbMs);
    total.add(view, latency, ttfb);
    by.lane.of(view.lane).add(view, latency, ttfb);
    by.op.of(view.op).add(view, latency, ttfb);
    by.header_mode.of(view.headerMode).add(view, latency, ttfb);
    by.protocol.of(view.protocol).add(view, latency, ttfb);
    by.model.of(view.model).add(view, latency, ttfb);
    counters.final_decision.of(view.decision).add();
    counters.reason.of(view.reason).add();
    counters.status.of(view.status === undefined ? 'unknown' : String(view.status)).add();
    if (view.errType !== undefined) counters.err_type.of(view.errType).add();
    if (view.sse !== undefined) sse.add(view.sse);
  }

  return {
    add(record: JsonObject): void {
      const kind = kindOf(record);
      kinds[kind] += 1;
      span.add(record['ts']);
      // Two lines of three need no more than this.
      if (kind === 'completion') addCompletion(viewOf(record));
      else if (kind === 'decision') counters.first_decision.of(word(record['decision'])).add();
    },
    result: ({ lines, bad }: LogReading): Summary => ({
      lines,
      bad,
      kinds,
      span: span.result(),
      total: total.result(),
      by: {
        lane: by.lane.result(),
        op: by.op.result(),
        header_mode: by.header_mode.result(),
        protocol: by.protocol.result(),
        model: by.model.result(),
      },
      decisions: { first: counters.first_decision.result(), final: counters.final_decision.result() },
      reasons: counters.reason.result(),
      statuses: counters.status.result(),
      errors: counters.err_type.result(),
      sse: sse.result(),
      relative_error: RELATIVE_ERROR,
      overflowed: Object.entries({ ...by, ...counters })
        .filter(([, labelled]) => labelled.overflowed())
        .map(([name]) => name),
    }),
  };
}

/** RFC 3339 times in UTC sort as text; others are no help to anybody. */
function createSpan() {
  let first: string | undefined;
  let last: string | undefined;
  return {
    add(ts: unknown): void {
      if (typeof ts !== 'string' || ts.length > 40) return;
      if (last === undefined || ts > last) last = ts;
      else if (ts === last) return;
      if (first === undefined || ts < first) first = ts;
    },
    result: () => (first === undefined || last === undefined ? null : { first, last }),
  };
}
