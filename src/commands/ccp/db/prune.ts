import { count, plural } from '../../../analysis/plural.ts';
import {
  forOperator,
  KEEP_HOURS_MS,
  openStoreToRead,
  openStoreToWrite,
  type StoreFile,
} from '../../../config/store-files.ts';
import { EXIT, OperatorError } from '../../../errors.ts';
import { type Host, printJson, printWarnings } from '../../shared/host.ts';
import { processTerminal } from '../../shared/terminal.ts';
import { load } from '../load.ts';
import { megabytes } from './status.ts';

export interface PruneOptions {
  readonly days: number | undefined;
  readonly yes: boolean;
  readonly json: boolean;
}

const DAY_MS = 86_400_000;
/** Short transactions: a running proxy writes between them. */
const ROLLED_AT_ONCE = 5_000;
const FORGOTTEN_AT_ONCE = 2_000;

const WEEK_DAYS = 7;
const LACKING =
  'weekly quotas count the exchanges of the last 7 days; from its next start on, ccp counts without those that this deletes';

/** `ccp db prune`: deletes old exchanges that the hours and days count, and gives their room back to the disk. */
export async function dbPrune(host: Host, { days, yes, json }: PruneOptions): Promise<number> {
  const { settings, paths } = load(host);
  const kept = days ?? settings.sampleTtlDays;
  const now = Date.now();
  const before = now - kept * DAY_MS;
  // Never makes a store only to thin it out, nor sets one aside.
  openStoreToRead(paths.store)[Symbol.dispose]();
  using store = openStoreToWrite(paths.store, null);
  const { due, hoursBefore } = forOperator(paths.store, () => {
    while (store.rollups.advance(ROLLED_AT_ONCE) > 0);
    return {
      due: store.samples.countBefore(before),
      hoursBefore: store.samples.horizon(now, KEEP_HOURS_MS),
    };
  });
  if (due > 0 && kept < WEEK_DAYS) printWarnings(host, 'ccp', [LACKING]);
  const agreed =
    due === 0 ||
    yes ||
    (await confirm(
      `Delete ${plural(due, 'exchange')} older than ${plural(kept, 'day')}? Their sums stay in "ccp usage".`,
    ));
  const bytes = store.status().bytes;
  const deleted = forOperator(paths.store, () => {
    if (!agreed) return 0;
    // Where no exchange is due nobody was asked, not of old hours and ids either.
    const forgotten = due > 0 || yes ? forgetAll(store, before, hoursBefore) : 0;
    store.shrink();
    return forgotten;
  });
  const after = store.status();
  if (json) {
    printJson(host, {
      store: paths.store,
      deleted,
      kept: after.samples,
      bytes_before: bytes,
      bytes: after.bytes,
    });
  } else {
    const done = agreed ? `${plural(deleted, 'exchange')} deleted` : 'Nothing deleted';
    host.out.write(
      `${done}, ${count(after.samples)} kept; ${megabytes(bytes)} before, ${megabytes(after.bytes)} now.\n`,
    );
  }
  return EXIT.ok;
}

/** Throws `USAGE` where there is nobody to ask. */
async function confirm(question: string): Promise<boolean> {
  const { ask } = processTerminal();
  if (ask === null) {
    throw new OperatorError('USAGE', 'nothing was deleted: not confirmed', {
      hint: 'Repeat it with --yes, or on a terminal.',
    });
  }
  return await ask(question, 'nothing was deleted');
}

function forgetAll(store: StoreFile, before: number, hoursBefore: number): number {
  let deleted = 0;
  for (let some = -1; some !== 0; deleted += some) some = store.samples.forget(before, FORGOTTEN_AT_ONCE);
  while (store.rollups.forgetHours(hoursBefore, FORGOTTEN_AT_ONCE) > 0);
  while (store.samples.forgetIds(hoursBefore, FORGOTTEN_AT_ONCE) > 0);
  return deleted;
}
