/** Whether the proxy that runs with these settings keeps the store that this shell looks at. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { LoadedCcp } from '../../config/ccp-settings.ts';
import type { Finding } from './finding.ts';
import type { ProxyState } from './proxy-state.ts';

const SET_ALIKE =
  'Set CCP_DB_PATH, CCP_LOGS_DIR, CCP_PERSIST and CCP_PROFILE here as where "ccp serve" was started, or restart it with these.';

/**
 * What is to be said of it: nothing where it is the same one and well, or the proxy does not say. `said` is what was found
 * wrong here with the file, and said already; null where nothing was.
 */
export function compareStore(
  { settings, paths }: LoadedCcp,
  store: ProxyState['store'],
  said: string | null,
): Finding[] {
  if (store === null) return [];
  const here = settings.persist ? paths.store : null;
  const isSame = here === null || store.path === null ? here === store.path : isSameFile(here, store.path);
  const other = `the running proxy uses another store than this shell: ${inWords(store.path)} there, ${inWords(here)} here`;
  return [
    ...(isSame ? [] : [{ level: 'note', what: other, remedy: SET_ALIKE } as const]),
    ...(store.ok || (isSame && store.reason === said) ? [] : [troubleOf(store)]),
  ];
}

function troubleOf({ reason, remedy }: NonNullable<ProxyState['store']>): Finding {
  const what = `the store of the running proxy is in trouble: ${reason ?? 'it does not say why'}`;
  return { level: 'problem', what, ...(remedy !== null && { remedy }) };
}

const inWords = (path: string | null): string => path ?? 'none (CCP_PERSIST=0)';

/** Whether two absolute paths lead to one place, by whatever links; neither need be there yet. */
export const isSameFile = (one: string, other: string): boolean => realPath(one) === realPath(other);

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(realPath(above), basename(path));
  }
}
