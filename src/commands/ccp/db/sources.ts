/** The stores and logs under a folder. */
import { type Dirent, existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isLostStore, isStore, namedAs } from '../../../config/store-files.ts';
import { OperatorError, systemReason } from '../../../errors.ts';
import { isLogName } from './lines.ts';

export interface Sources {
  readonly stores: readonly string[];
  readonly logs: readonly string[];
  readonly leftOut: {
    /** Stores that were set aside as damaged: what could be read of them is put in by export and import. */
    readonly stores: readonly string[];
    /** The logs kept of runs of ccp-uat, whose traffic is made up. */
    readonly logs: readonly string[];
  };
  /** Folders, files and links of which nobody knows what they hold. */
  readonly unread: readonly Unread[];
}

export interface Unread {
  readonly path: string;
  /** In a few words of the system's. */
  readonly problem: string;
}

/** `usage_NAME.jsonl`: what ccp-uat keeps of the last run of a suite beside the proxy's own log. */
const RUN_LOG = /^usage_/;
/** What a run of ccp-uat begins its folder with, and a bundle has of it: the log beside it is the run's. */
const RUN_MARK = 'events.jsonl';
/** What a link says that leads nowhere, and a file that was removed since its folder was read. */
const NOT_THERE: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/**
 * Finds what can be counted at any depth, each file once however many links lead to it; `runs` where the logs kept of
 * runs count, too. Throws `NOT_READY` where there is none, or where the folder itself cannot be read.
 */
export function sourcesUnder(folder: string, runs: boolean): Sources {
  const { files, ...rest } = lookUnder(folder);
  const kinds = Map.groupBy(files, (path) => kindOf(path, runs));
  const of = (kind: Kind): string[] => (kinds.get(kind) ?? []).toSorted();
  const found = { stores: of('store'), logs: of('log') };
  const leftOut = { stores: of('set aside'), logs: of('run log') };
  const unread = rest.unread.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  if (found.stores.length + found.logs.length > 0) return { ...found, leftOut, unread };
  const only = leftOut.logs.length === 0 ? '' : ' but those kept of runs of ccp-uat';
  const beside = unread.map(({ path, problem }) => `; ${path} cannot be read: ${problem}`).join('');
  throw new OperatorError('NOT_READY', `there is no store and no usage log under ${folder}${only}${beside}`, {
    hint:
      leftOut.logs.length === 0
        ? 'Stores are files that ccp wrote, of any name; logs are named usage*.jsonl.'
        : 'Name another folder, or count those with --runs.',
  });
}

type Kind = 'store' | 'log' | 'set aside' | 'run log' | 'none of ours';

function kindOf(path: string, runs: boolean): Kind {
  const name = basename(path);
  if (isLogName(name)) return !runs && isRunLog(path) ? 'run log' : 'log';
  if (namedAs(path) === 'set aside') return 'set aside';
  // One that was a store by its name is named, and said to be none. What another program keeps in such a file is its own.
  return isStore(path) || isLostStore(path) ? 'store' : 'none of ours';
}

/** Whether an absolute path is that of a log kept of a run of ccp-uat, whose traffic is made up. */
export const isRunLog = (path: string): boolean =>
  isLogName(path) && (RUN_LOG.test(basename(path)) || existsSync(join(dirname(path), RUN_MARK)));

/** One folder or file that cannot be read takes nothing from the others. */
function lookUnder(folder: string): { readonly files: string[]; readonly unread: Unread[] } {
  const unread: Unread[] = [];
  const seen = new Set<string>();
  const isNew = (path: string): boolean => {
    const real = realpathSync(path);
    return !seen.has(real) && seen.add(real).has(real);
  };
  const filesOf = (entry: Dirent, path: string): string[] => {
    const there = entry.isSymbolicLink() ? statSync(path) : entry;
    if (there.isDirectory()) return isNew(path) ? walk(path) : [];
    if (!there.isFile() || !isNew(path)) return [];
    // SQLite's log lies beside the store, not beside a link to it. A usage log is known by its name, here the link's.
    return [entry.isSymbolicLink() && !isLogName(path) ? realpathSync(path) : path];
  };
  const walk = (at: string): string[] =>
    readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
      const path = join(at, entry.name);
      try {
        return filesOf(entry, path);
      } catch (error) {
        if (!NOT_THERE.has(codeOf(error)) || isDeadSource(entry)) unread.push(unreadOf(path, error));
        return [];
      }
    });
  try {
    isNew(folder);
    return { files: walk(folder), unread };
  } catch (cause) {
    throw new OperatorError('NOT_READY', `${folder} cannot be read`, {
      hint: 'Name the folder with the stores and logs.',
      cause,
    });
  }
}

/** Whether a link that leads nowhere has the name of a store or a log: somebody meant it to be counted. */
const isDeadSource = (entry: Dirent): boolean =>
  entry.isSymbolicLink() && (isLogName(entry.name) || namedAs(entry.name) === 'store');

/** What the system said of a path. Throws an error that is not the system's. */
export function unreadOf(path: string, error: unknown): Unread {
  if (!(error instanceof Error) || codeOf(error) === undefined) throw error;
  return { path, problem: systemReason(error) };
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;
