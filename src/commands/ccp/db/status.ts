import { plural } from '../../../analysis/plural.ts';
import { check, forOperator, openStoreToRead, type StoreFile } from '../../../config/store-files.ts';
import { EXIT } from '../../../errors.ts';
import { type Host, printJson } from '../../shared/host.ts';
import { table } from '../../shared/table.ts';
import { load } from '../load.ts';

/** `ccp db status`: exit 1 where `--check` finds damage. */
export function dbStatus(host: Host, options: { readonly check: boolean; readonly json: boolean }): number {
  const { paths } = load(host);
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
