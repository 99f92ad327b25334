import { access, constants, stat } from 'node:fs/promises';
import { readFileBlocks } from '../../platform/file-blocks.ts';
import { rotatedFiles } from '../../platform/rotated-files.ts';

export interface LogFile {
  readonly name: string;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** A log, after its rotated copies where they are wanted. Rejects where one of them can't be read. */
export async function openLogFiles(
  log: string,
  { rotated }: { readonly rotated: boolean },
): Promise<LogFile[]> {
  const found = rotated ? await rotatedFiles(log) : [];
  const files = found.length > 0 ? found : [log];
  await Promise.all(files.map(mustBeReadable));
  return files.map((name) => ({ name, chunks: readFileBlocks(name) }));
}

/** A log of which some may not be readable: then it ends there, and `onTrouble` is told what the system said. */
export function readAsFarAsItGoes(name: string, onTrouble: (error: unknown) => void): LogFile {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      yield* readFileBlocks(name);
    } catch (error) {
      onTrouble(error);
    }
  }
  return { name, chunks: chunks() };
}

async function mustBeReadable(file: string): Promise<void> {
  await access(file, constants.R_OK);
  if ((await stat(file)).isDirectory()) throw new Error('it is a folder');
}
