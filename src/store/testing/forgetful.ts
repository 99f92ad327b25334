/** A process that forgets samples of the store in its first argument, some at a time, until none is left. */
import { openStoreFile } from '../store-file.ts';

const [, , path = ''] = process.argv;
using file = openStoreFile(path);
for (let left = 1; left > 0; ) {
  left = file.samples.forget(Number.MAX_SAFE_INTEGER, 20);
  process.stdout.write('.');
}
