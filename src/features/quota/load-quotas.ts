/** Which quota file counts, and what it says. */
import { OperatorError } from '../../errors.ts';
import type { PlacedFile } from '../../platform/placed-file.ts';
import { parseQuotas, type QuotaDefinition } from './parse-quotas.ts';

export interface LoadedQuotas {
  /** The file that counts; null where there is none. */
  readonly file: string | null;
  readonly definitions: readonly QuotaDefinition[];
  /** Why files that are there do not count, a sentence each. */
  readonly ignored: readonly string[];
}

/** Reads the first file that counts; those behind it are left alone. Throws `CONFIG` for what is wrong in it. */
export function loadQuotas(files: readonly PlacedFile[]): LoadedQuotas {
  const ignored: string[] = [];
  for (const quotaFile of files) {
    const { path, required } = quotaFile;
    const found = quotaFile.read();
    if (found.state === 'used') return { file: path, definitions: parseQuotas(path, found.bytes), ignored };
    if (found.state === 'ignored') ignored.push(found.why);
    else if (required) throw new OperatorError('CONFIG', `there is no quota file ${path}`);
  }
  return { file: null, definitions: [], ignored };
}
