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

/** A line of a table, without a line break; what is missing is empty. No text of it is a formula to a spreadsheet. */
export function csvLine(row: SampleRow): string {
  const [rid, ts, ...rest] = row;
  return [rid, timeOf(ts), ...rest].map(csvField).join(',');
}

/** What spreadsheets take for the beginning of a formula, the wide forms of these signs too. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

function csvField(value: string | number | null): string {
  if (value === null) return '';
  // A client chooses the names of models. An apostrophe first makes a text of it.
  const field = typeof value === 'string' && FORMULA.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

const timeOf = (ms: number): string => new Date(ms).toISOString();
