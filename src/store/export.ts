/** Samples as text: lines that can be imported again, and tables for other programs. */
import { z } from 'zod';
import { type Sample, sampleSchema } from '../protocol/meter.ts';
import { SAMPLE_COLUMNS, type SampleRow, sampleOfRow } from './sample-row.ts';

/** One line of an export: a sample with its time as RFC 3339. */
const lineSchema = z.strictObject({
  ...sampleSchema.shape,
  v: z.literal(1),
  event: z.literal('sample'),
  ts: z.iso.datetime({ precision: 3 }).transform((time) => Date.parse(time)),
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

/**
 * A line of a table, without a line break; what is missing is empty. No text of it is a formula to a spreadsheet, or holds
 * a control character: a table is looked at in a terminal, too.
 */
export function csvLine(row: SampleRow): string {
  const [rid, ts, ...rest] = row;
  return [rid, timeOf(ts), ...rest].map(csvField).join(',');
}

/** What spreadsheets take for the beginning of a formula, the wide forms of these signs too. */
const FORMULA = /^[=+\-@＝＋－＠]/;
/** Line breaks and tabs are among them, which would make rows and columns of their own; so are the invisible ones. */
const CONTROL = /[\p{Cc}\p{Cf}]/gu;

function csvField(value: string | number | null): string {
  if (typeof value !== 'string') return value === null ? '' : String(value);
  // A client chooses the names of models. An apostrophe first makes a text of it.
  const text = value.replaceAll(CONTROL, '\u{fffd}');
  const field = FORMULA.test(text) ? `'${text}` : text;
  return /[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

const timeOf = (ms: number): string => new Date(ms).toISOString();
