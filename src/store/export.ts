/** Samples as text: lines that can be imported again, and tables for other programs. */
import { z } from 'zod';
import type { Sample } from '../protocol/meter.ts';
import {
  ERR_TYPES,
  FIXED_DECISIONS,
  HEADER_MODES,
  OPS,
  REASONS,
  tokensSchema,
} from '../protocol/usage-event.ts';
import { SAMPLE_COLUMNS, type SampleRow, sampleOfRow } from './sample-row.ts';

const text = z.string().min(1);
const milliseconds = z.number().nonnegative();
const count = z.int().nonnegative();

/** One line of an export: a sample with its time as RFC 3339. */
const lineSchema = z.strictObject({
  v: z.literal(1),
  event: z.literal('sample'),
  rid: text,
  ts: z.iso.datetime({ precision: 3 }).transform((time) => Date.parse(time)),
  lane: text,
  provider: text,
  model: z.string().nullable(),
  served_model: z.string().nullable(),
  op: z.enum(OPS),
  decision: z.union([z.enum(FIXED_DECISIONS), z.templateLiteral(['to_', z.string()])]),
  reason: z.enum(REASONS),
  status: z.int(),
  err_type: z.enum(ERR_TYPES).nullable(),
  latency_ms: milliseconds,
  ttfb_ms: milliseconds.nullable(),
  stream_ms: milliseconds.nullable(),
  tokens: tokensSchema.nullable(),
  bytes_in: count,
  bytes_out: count,
  attempts: count,
  h2: z.boolean().nullable(),
  header_mode: z.enum(HEADER_MODES).nullable(),
});

/** The line of a sample, without a line break. */
export function exportLine(row: SampleRow): string {
  const sample = sampleOfRow(row);
  return JSON.stringify({ v: 1, event: 'sample', ...sample, ts: timeOf(sample.ts) });
}

/** The sample of a parsed line of an export, or what is wrong with it, without its values. */
export function readExportLine(record: unknown): Sample | string {
  const parsed = lineSchema.safeParse(record);
  if (parsed.success) {
    const { v: _v, event: _event, ...sample } = parsed.data;
    return sample;
  }
  const [issue] = parsed.error.issues;
  return `${issue?.path.join('.') ?? ''}: not what an export holds`;
}

/** The heading of a table, RFC 4180; the columns are those of the store. */
export const CSV_HEADING = SAMPLE_COLUMNS.join(',');

/** A line of a table, without a line break; what is missing is empty. */
export function csvLine(row: SampleRow): string {
  const [rid, ts, ...rest] = row;
  return [rid, timeOf(ts), ...rest].map(csvField).join(',');
}

function csvField(value: string | number | null): string {
  if (value === null) return '';
  const field = String(value);
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

const timeOf = (ms: number): string => new Date(ms).toISOString();
