import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { count, plural } from '../../../analysis/plural.ts';
import {
  forOperator,
  openStoreToWrite,
  type SampleRow,
  type StoreFile,
} from '../../../config/store-files.ts';
import { EXIT, OperatorError, systemReason } from '../../../errors.ts';
import { type Host, printJson, printWarnings } from '../../shared/host.ts';
import { type LogFile, openLogFiles } from '../../shared/log-files.ts';
import { processTerminal } from '../../shared/terminal.ts';
import { load } from '../load.ts';
import { badLineWarnings, readExchanges, strangerSentences, tooOldWarnings } from './lines.ts';
import { byteProgress } from './progress.ts';
import { isRunLog } from './sources.ts';

export interface ImportOptions {
  readonly files: readonly string[];
  readonly rotated: boolean;
  /** Whether the logs kept of runs of ccp-uat count, too: their traffic is made up. */
  readonly runs: boolean;
  readonly json: boolean;
}

/** How long to wait for a proxy that writes, in milliseconds: here nobody waits for us. */
const PATIENT_MS = 30_000;
const ROLLED_AT_ONCE = 5_000;
const CACHE_KIB = 64 * 1024;
const CHECKPOINT_PAGES = 16_000;

const NAME_A_LOG = 'Name a usage log, or what "ccp db export --jsonl" wrote.';

/**
 * `ccp db import`: puts in what the store does not know; a second time puts in nothing. Exit 1 where it understood
 * nothing. Throws `USAGE` for a file that is no log, after what the others tell was put in; alone it makes no store.
 */
export async function dbImport(host: Host, { files, rotated, runs, json }: ImportOptions): Promise<number> {
  const { paths } = load(host);
  const named = (await Promise.all(files.map((file) => open(resolve(host.cwd, file), rotated)))).flat();
  const { logs, leftOut } = withoutRuns(named, runs);
  const warnOf = (aside: string): void =>
    printWarnings(host, 'ccp', [`the store was damaged and set aside as ${aside}; a new one is begun`]);
  const isNew = !existsSync(paths.store);
  using target = createTarget(paths.store, warnOf);
  if (!isNew) target.store();
  const terminal = processTerminal();
  using interruption = terminal.interruption();
  await using progress = await byteProgress(terminal.live, 'Reading', await sizeOf(logs));
  let [added, rolledUp, tooOld] = [0, 0, 0];
  const put = (told: readonly SampleRow[]): void => {
    interruption.signal.throwIfAborted();
    const { store, idsFrom } = target.store();
    forOperator(paths.store, () => {
      const samples = told.filter(([rid, ts]) => ts >= idsFrom || store.samples.knows(rid));
      tooOld += told.length - samples.length;
      added += store.putIn(samples);
      // A proxy reads what is not rolled up yet at each question: it must not become much.
      if (added - rolledUp >= ROLLED_AT_ONCE) rolledUp += store.rollups.advance(ROLLED_AT_ONCE);
    });
  };
  const found = await readExchanges(progress.watch(logs), put);
  const [stranger] = strangerSentences(found.strangers);
  if (stranger !== undefined && found.lines === 0)
    throw new OperatorError('USAGE', stranger, { hint: NAME_A_LOG });
  const store = target.opened();
  forOperator(paths.store, () => {
    while ((store?.rollups.advance(ROLLED_AT_ONCE) ?? 0) > 0) interruption.signal.throwIfAborted();
  });
  await progress.end();

  const isBegun = isNew && store !== null;
  const known = found.exchanges - added - tooOld;
  printWarnings(host, 'ccp', [
    ...runWarnings(leftOut),
    ...tooOldWarnings(tooOld),
    ...badLineWarnings(found.bad),
  ]);
  if (json)
    printJson(host, {
      store: paths.store,
      store_is_new: isBegun,
      lines: found.lines,
      added,
      known,
      too_old: tooOld,
      bad: found.bad,
      left_out: leftOut,
    });
  else {
    const bad = found.bad.count === 0 ? '' : `, ${plural(found.bad.count, 'line')} not understood`;
    const told = `${plural(added, 'exchange')} put into ${paths.store}, ${count(known)} known before`;
    const begun = isBegun ? ' A new store was begun there.' : '';
    host.out.write(`${told}${bad}; ${plural(found.lines, 'line')} read.${begun}\n`);
  }
  if (stranger !== undefined) throw new OperatorError('USAGE', stranger, { hint: NAME_A_LOG });
  return found.exchanges === 0 && found.bad.count > 0 ? EXIT.failed : EXIT.ok;
}

/** Throws `USAGE` where nothing is left. */
function withoutRuns(named: readonly LogFile[], runs: boolean) {
  const logs = named.filter(({ name }) => runs || !isRunLog(name));
  const leftOut = named.flatMap(({ name }) => (!runs && isRunLog(name) ? name : []));
  const [first] = leftOut;
  if (first === undefined || logs.length > 0) return { logs, leftOut };
  const what = leftOut.length === 1 ? `${first} is the log` : `all ${leftOut.length} files are logs`;
  throw new OperatorError(
    'USAGE',
    `nothing was put in: ${what} of a run of ccp-uat, whose traffic is made up`,
    {
      hint: 'Add --runs to put it in all the same, best into a store of its own (CCP_DB_PATH).',
    },
  );
}

const runWarnings = (leftOut: readonly string[]): string[] =>
  leftOut.map(
    (name) => `left out, the log of a run of ccp-uat: ${name}; --runs puts in such made-up traffic, too`,
  );

interface Target extends Disposable {
  /** Opens it the first time. `idsFrom` is as the store had it then. */
  store(): { readonly store: StoreFile; readonly idsFrom: number };
  /** Null where nothing has opened it. */
  opened(): StoreFile | null;
}

/** What is put into: made only once there is something to put in: a log without an exchange, or what is none, leaves nothing behind. */
function createTarget(path: string, onDamage: (aside: string) => void): Target {
  let opened: ReturnType<Target['store']> | null = null;
  const begin = (): ReturnType<Target['store']> => {
    const store = openStoreToWrite(path, onDamage, PATIENT_MS);
    prepare(store);
    return { store, idsFrom: forOperator(path, () => store.samples.idsFrom()) };
  };
  return {
    store: () => (opened ??= begin()),
    opened: () => opened?.store ?? null,
    [Symbol.dispose]: () => opened?.store[Symbol.dispose](),
  };
}

/** The ids of a million exchanges come in no order: their index has to fit into memory, and checkpoints to be rare. */
function prepare({ db }: StoreFile): void {
  db.pragma(`cache_size = ${-CACHE_KIB}`);
  db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
}

async function open(path: string, rotated: boolean): Promise<LogFile[]> {
  try {
    return await openLogFiles(path, { rotated });
  } catch (error) {
    const why = error instanceof Error ? `: ${systemReason(error)}` : '';
    throw new OperatorError('NOT_READY', `${path} cannot be read${why}`, {
      hint: NAME_A_LOG,
      cause: error,
    });
  }
}

async function sizeOf(logs: readonly LogFile[]): Promise<number> {
  const sizes = await Promise.all(logs.map(async ({ name }) => (await stat(name)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
