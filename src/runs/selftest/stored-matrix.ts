/** The matrix of a self-test as it lies in the folder of its control run. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { OperatorError } from '../../errors.ts';
import { hasCode } from '../../platform/files.ts';
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
    throw noReports(`${MATRIX} is damaged: ${whatIsWrong(error)}`, error);
  }
}

function whatIsWrong(error: unknown): string {
  if (!(error instanceof z.ZodError)) return 'it is no JSON';
  const [issue] = error.issues;
  return `at ${issue?.path.join('.') || 'its top'}: ${issue?.message}`;
}

export const noReports = (what: string, cause?: unknown): OperatorError =>
  new OperatorError('USAGE', `the reports of a self-test cannot be made: ${what}`, {
    hint: 'Run the self-test again: ccp-uat selftest.',
    cause,
  });
