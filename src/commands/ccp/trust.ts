import { join, resolve } from 'node:path';
import { userFolders } from '../../config/folders.ts';
import { readSmallFile } from '../../config/read-small-file.ts';
import { openTrustKeeper, type TrustStore } from '../../config/trust.ts';
import { EXIT, OperatorError } from '../../errors.ts';
import { makeFolder } from '../shared/folders.ts';
import { type Host, printJson } from '../shared/host.ts';
import { table } from '../shared/table.ts';

export interface TrustOptions {
  readonly file: string | undefined;
  readonly forget: boolean;
  readonly json: boolean;
}

/** Files that count only when trusted, by their place in a working directory. */
const FOREIGN_FILES = ['.env', join('configs', 'providers.yaml'), join('configs', 'quotas.json')];

/**
 * `ccp trust [FILE]`. Never loads the settings: what it is asked about may be the very thing that is wrong
 * with them.
 */
export function trust(host: Host, { file, forget, json }: TrustOptions): number {
  const store = openTrustKeeper(userFolders(host.env, host.home), makeFolder);
  if (file === undefined) {
    if (forget) throw new OperatorError('USAGE', '--forget needs a file');
    return show(
      host,
      store,
      FOREIGN_FILES.map((name) => join(host.cwd, name)),
      json,
    );
  }
  const path = resolve(host.cwd, file);
  if (forget && !store.forget(path)) throw new OperatorError('USAGE', `${path} was not trusted`);
  if (!forget) store.trust(path);
  return show(host, store, [path], json);
}

function show(host: Host, store: TrustStore, paths: readonly string[], json: boolean): number {
  const files = paths.map((path) => {
    const bytes = readSmallFile(path);
    return { path, state: bytes === null ? ('absent' as const) : store.stateOf(path, bytes) };
  });
  if (json) printJson(host, { files });
  else {
    const rows = files.map(({ path, state }) => [path, MEANING[state]]);
    host.out.write(table(host.out, ['file', 'state'], rows));
  }
  return EXIT.ok;
}

const MEANING = {
  absent: 'not there',
  trusted: 'trusted as it is now',
  changed: 'changed since it was trusted: ignored',
  untrusted: 'not trusted: ignored',
} as const;
