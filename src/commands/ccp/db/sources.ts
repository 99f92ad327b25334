/** The stores and logs under a folder. */
import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isStore } from '../../../config/store-files.ts';
import { OperatorError } from '../../../errors.ts';
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
}

const STORE_NAME = /\.sqlite3$/;
const SET_ASIDE = /\.damaged-\d{8}T[\d.]+Z$/;
/** `usage_NAME.jsonl`: what ccp-uat keeps of the last run of a suite beside the proxy's own log. */
const RUN_LOG = /^usage_/;

/**
 * Finds what can be counted at any depth, each file once however many links lead to it; `runs` where the logs kept of
 * runs count, too. Throws `NOT_READY` where there is none.
 */
export function sourcesUnder(folder: string, runs: boolean): Sources {
  const kinds = Map.groupBy(filesUnder(folder), (path) => kindOf(path, runs));
  const of = (kind: Kind): string[] => (kinds.get(kind) ?? []).toSorted();
  const found = { stores: of('store'), logs: of('log') };
  const leftOut = { stores: of('set aside'), logs: of('run log') };
  if (found.stores.length + found.logs.length > 0) return { ...found, leftOut };
  const only = leftOut.logs.length === 0 ? '' : ' but those kept of runs of ccp-uat';
  throw new OperatorError('NOT_READY', `there is no store and no usage log under ${folder}${only}`, {
    hint:
      leftOut.logs.length === 0
        ? 'Stores are files that ccp wrote, of any name; logs are named usage*.jsonl.'
        : 'Name another folder, or count those with --runs.',
  });
}

type Kind = 'store' | 'log' | 'set aside' | 'run log' | 'none of ours';

function kindOf(path: string, runs: boolean): Kind {
  const name = basename(path);
  if (isLogName(name)) return RUN_LOG.test(name) && !runs ? 'run log' : 'log';
  if (SET_ASIDE.test(name)) return 'set aside';
  // One that cannot be opened is named, and said to be so.
  return STORE_NAME.test(name) || isStore(path) ? 'store' : 'none of ours';
}

function filesUnder(folder: string): string[] {
  const seen = new Set<string>();
  const isNew = (path: string): boolean => {
    const real = realpathSync(path);
    return !seen.has(real) && seen.add(real).has(real);
  };
  const walk = (at: string): string[] =>
    readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
      const path = join(at, entry.name);
      const there = targetOf(entry, path);
      if (there?.isDirectory() === true) return isNew(path) ? walk(path) : [];
      if (there?.isFile() !== true || !isNew(path)) return [];
      // SQLite's log lies beside the store, not beside a link to it. A usage log is known by its name, here the link's.
      return [entry.isSymbolicLink() && !isLogName(path) ? realpathSync(path) : path];
    });
  try {
    isNew(folder);
    return walk(folder);
  } catch (cause) {
    throw new OperatorError('NOT_READY', `${folder} cannot be read`, {
      hint: 'Name the folder with the stores and logs.',
      cause,
    });
  }
}

/** What a link leads to; undefined where that is nothing. */
function targetOf(entry: Dirent, path: string): Dirent | Stats | undefined {
  if (!entry.isSymbolicLink()) return entry;
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
