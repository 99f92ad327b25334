/** The folder of an earlier bundle of the same name may make room for a new one; somebody's work may not. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { OperatorError } from '../../errors.ts';
import { hasCode } from '../../platform/files.ts';
import { type Manifest, manifestSchema } from './documents.ts';
import { everythingBelow } from './files-below.ts';
import { hashFile } from './inventory.ts';
import { MANIFEST, SIGNATURE, SUMS } from './layout.ts';
import { quote } from './refusal.ts';

/** Throws NOT_READY where `folder` holds something that its own manifest does not list, or not as it lists it. */
export async function mustBeReplaceable(folder: string): Promise<void> {
  const { files, others } = await everythingBelow(folder).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return { files: [], others: [] };
    throw error;
  });
  const listed = new Map((await manifestIn(folder)).map(({ path: name, sha256 }) => [name, sha256]));
  const changed: string[] = [...others];
  for (const file of files) {
    if ([MANIFEST, SUMS, SIGNATURE].includes(file) && listed.size > 0) continue;
    if (listed.get(file) !== (await hashFile(path.join(folder, file)))) changed.push(file);
  }
  const [first, ...more] = changed;
  if (first === undefined) return;
  const rest = more.length === 0 ? '' : ` and ${more.length} more`;
  throw new OperatorError(
    'NOT_READY',
    `${folder} is in the way: it holds ${quote(first)}${rest}, which the bundle that lies there does not list so`,
    { hint: 'Move that folder away, or name another place by --out.' },
  );
}

/** Nothing, where there is no manifest that could be one of ours. */
async function manifestIn(folder: string): Promise<Manifest['files']> {
  try {
    const text = await readFile(path.join(folder, MANIFEST), 'utf8');
    return manifestSchema.safeParse(JSON.parse(text)).data?.files ?? [];
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, 'ENOENT') || hasCode(error, 'EISDIR')) return [];
    throw error;
  }
}
