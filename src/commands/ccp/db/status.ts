import { plural } from '../../../analysis/plural.ts';
import type { LoadedCcp } from '../../../config/ccp-settings.ts';
import { check, forOperator, openStoreToRead, type StoreFile } from '../../../config/store-files.ts';
import { EXIT } from '../../../errors.ts';
import { type Host, printJson, printWarnings } from '../../shared/host.ts';
import { table } from '../../shared/table.ts';
import { compareStore } from '../compare-store.ts';
import { load } from '../load.ts';
import { askStoreState } from '../proxy-state.ts';

export interface StatusOptions {
  readonly check: boolean;
  readonly json: boolean;
}

/**
 * `ccp db status`: exit 1 where `--check` finds damage. Where a proxy runs that uses another store, or whose store is in
 * trouble, it is said on standard error, unless the trouble is what was found here.
 */
export async function dbStatus(host: Host, options: StatusOptions): Promise<number> {
  const loaded = load(host);
  // Before the look, which lets no answer in meanwhile.
  const store = await askStoreState(loaded);
  let said: string | null = null;
  try {
    return showStatus(host, loaded, options);
  } catch (error) {
    said = error instanceof Error ? error.message : null;
    throw error;
  } finally {
    const warnings = compareStore(loaded, store, said).map(({ what, remedy }) =>
      remedy === undefined ? what : `${what}. ${remedy}`,
    );
    printWarnings(host, 'ccp', warnings);
  }
}

const SWITCHED_OFF =
  'the store is switched off (CCP_PERSIST=0): a proxy started here would keep nothing, and usage counts nothing';

function showStatus(host: Host, { settings, paths }: LoadedCcp, options: StatusOptions): number {
  if (!settings.persist) printWarnings(host, 'ccp', [SWITCHED_OFF]);
  using store = openStoreToRead(paths.store);
  const found = forOperator(paths.store, () => look(store));
  if (options.check) forOperator(paths.store, () => check(store.db));
  const status = { ...found, integrity: options.check ? 'ok' : null };
  if (options.json) {
    printJson(host, status);
    return EXIT.ok;
  }
  const { schema_version: schema, bytes, samples, oldest, newest, not_rolled_up: late, hours, days } = status;
  const rows = [
    ['file', paths.store],
    ['size', `${megabytes(bytes)}, schema ${schema}`],
    ['exchanges', oldest === null ? '0' : `${samples}, from ${oldest} to ${newest}`],
    ['rollups', `${hours} of hours, ${days} of days; ${plural(late, 'exchange')} not yet added up`],
    ['integrity', status.integrity ?? 'not looked at; --check reads the whole file'],
  ];
  host.out.write(table(host.out, ['store', ''], rows));
  return EXIT.ok;
}

function look({ db, ...store }: StoreFile) {
  const { oldest, newest, ...status } = store.status();
  const count = (sql: string): number => db.prepare<[], number>(sql).pluck().get() ?? 0;
  return {
    ...status,
    oldest: time(oldest),
    newest: time(newest),
    not_rolled_up: count('SELECT count(*) FROM samples WHERE seq > (SELECT seq FROM rolled_up)'),
    hours: count("SELECT count(*) FROM rollups WHERE granularity = 'hour'"),
    days: count("SELECT count(*) FROM rollups WHERE granularity = 'day'"),
  };
}

const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** As a person reads it. */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
