import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for one test, and where the store lies in it. */
export interface StorePlace extends Disposable {
  readonly folder: string;
  readonly path: string;
}

export function makeStorePlace(): StorePlace {
  const folder = mkdtempSync(join(tmpdir(), 'ccp-store-'));
  return {
    folder,
    path: join(folder, 'ccp.sqlite3'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
