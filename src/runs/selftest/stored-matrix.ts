/** The matrix of a self-test as it lies in the folder of its control run. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { hasCode } from '../../platform/files.ts';
import { DamagedRun } from '../stored/damaged-run.ts';
import { type SelftestResult, selftestSchema } from './selftest-record.ts';

export const MATRIX = 'selftest.json';

/** Null where there is none. Throws USAGE for one that is damaged. */
export async function matrixIn(folder: string): Promise<SelftestResult | null> {
  const text = await readFile(path.join(folder, MATRIX), 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  });
  if (text === null) return null;
  try {
    return selftestSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new DamagedRun(folder, `${MATRIX} is damaged: ${whatIsWrong(error)}`, error);
  }
}

function whatIsWrong(error: unknown): string {
  if (!(error instanceof z.ZodError)) return 'it is no JSON';
  const [issue] = error.issues;
  return `at ${issue?.path.join('.') || 'its top'}: ${issue?.message}`;
}
