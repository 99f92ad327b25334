/** From lines of logs and exports to rows of the store. */
import type { JsonObject } from '../../../analysis/json.ts';
import { type BadLine, type LogReading, readLog } from '../../../analysis/log-reader.ts';
import { problemOfLine } from '../../../analysis/usage-line.ts';
import { readExportLine, rowOf, type SampleRow, sampleOf } from '../../../config/store-files.ts';
import type { LogFile } from '../../shared/log-files.ts';

export interface Lines {
  /** Lines that hold anything. */
  readonly lines: number;
  /** Those that tell of a whole exchange. */
  readonly exchanges: number;
  readonly bad: { readonly count: number; readonly examples: readonly BadLine[] };
}

/** One transaction's worth. */
const AT_ONCE = 1_000;
const BAD_EXAMPLES = 20;

/** Reads logs and exports and hands on what exchanges they tell of, a thousand at a time. Announcing lines are passed over. */
export async function readExchanges(
  files: readonly LogFile[],
  take: (rows: readonly SampleRow[]) => void,
): Promise<Lines> {
  let [exchanges, wrong] = [0, 0];
  let rows: SampleRow[] = [];
  const examples: BadLine[] = [];
  const reading: LogReading = await readLog(files, (record, source, line) => {
    const row = rowOfLine(record);
    if (row === null) return;
    if (typeof row === 'string') {
      wrong += 1;
      if (examples.length < BAD_EXAMPLES) examples.push({ source, line, problem: row });
      return;
    }
    exchanges += 1;
    rows.push(row);
    if (rows.length < AT_ONCE) return;
    take(rows);
    rows = [];
  });
  if (rows.length > 0) take(rows);
  const bad = {
    count: reading.bad.count + wrong,
    examples: [...reading.bad.examples, ...examples].slice(0, BAD_EXAMPLES),
  };
  return { lines: reading.lines, exchanges, bad };
}

/** The row of a line; null for one that only announces; else what is wrong with it. */
function rowOfLine(record: JsonObject): SampleRow | null | string {
  if (record['event'] === 'decision' || record['event'] === 'stream_start') return null;
  if (record['event'] === 'sample') {
    const sample = readExportLine(record);
    return typeof sample === 'string' ? sample : rowOf(sample);
  }
  return isCompletion(record) ? rowOf(sampleOf(record)) : (problemOfLine(record) ?? 'not a completion');
}

function isCompletion(record: JsonObject): record is Parameters<typeof sampleOf>[0] {
  return record['event'] === 'completion' && problemOfLine(record) === undefined;
}

/** Sentences about bad lines, for standard error. */
export function badLineWarnings({ count, examples }: Lines['bad']): string[] {
  const named = examples.map(({ source, line, problem }) => `${source}:${line}: ${problem}`);
  const more = count - examples.length;
  return more > 0 ? [...named, `and ${more} more lines like these`] : named;
}
