/** Which quotas hold now, and where they come from: read from the files and followed there, or sent by a command. */
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { PlacedFile } from '../../platform/placed-file.ts';
import { watchFiles } from '../../platform/watch-files.ts';
import { forgottenOnRestart } from './forgotten.ts';
import { idleQuotas, type Surroundings } from './idle-quotas.ts';
import { type LoadedQuotas, loadQuotas } from './load-quotas.ts';
import { parseQuotas, type QuotaDefinition } from './parse-quotas.ts';

export interface CurrentQuotasOptions {
  /** In order of precedence; the first that counts is the only one. */
  readonly files: readonly PlacedFile[];
  /** Files besides those whose change may change which one counts. */
  readonly alsoWatch: readonly string[];
  /** How many days the store keeps exchanges; null where it keeps none. */
  readonly keptDays: number | null;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds between two looks at the files; a second unless a test is in a hurry. */
  readonly lookEveryMs?: number;
  /** What they are held against, to find those that count nothing. */
  readonly around: () => Surroundings;
  /** Told each time that others, or the same anew, were taken over; not of the first. */
  readonly onTaken: () => void;
}

export interface CurrentQuotas extends Disposable {
  /** In the order of the file. */
  readonly definitions: readonly QuotaDefinition[];
  /** The file whose quotas count; null where there is none, or where they were sent to `reload`. */
  readonly file: string | null;
  /** When they were taken over, epoch milliseconds. */
  readonly since: number;
  /** That what the files say now was refused, so that the quotas before stay; null where it was not. */
  readonly refused: RefusedFile | null;
  /**
   * What is doubtful about those that hold, a sentence each: which of them count nothing, or cannot do what they
   * should, and what is forgotten after a restart.
   */
  warnings(): readonly string[];
  /** Logs the warnings. */
  tellDoubts(): void;
  /** Reads the files again, or takes those of `sent` in their place until what they say changes. A bad one changes nothing. */
  reload(sent?: Uint8Array): Reloaded;
}

export type Reloaded =
  | { readonly ok: true; readonly file: string | null; readonly quotas: number }
  /** `why` is a sentence naming the place. */
  | { readonly ok: false; readonly why: string };

interface RefusedFile {
  /** Epoch milliseconds. */
  readonly since: number;
  /** A sentence naming the place. */
  readonly why: string;
}

/** What quotas that were sent are called in errors. */
const SENT = 'the quotas sent';

/** Reads the quotas and follows their file. Throws `CONFIG` where they can't be used at the start. */
export function createCurrentQuotas(options: CurrentQuotasOptions): CurrentQuotas {
  const { files, keptDays, clock, log, around, onTaken } = options;
  let current = loadQuotas(files);
  let since = clock.now();
  let refused: RefusedFile | null = null;
  /** What the files said last; quotas that were sent stand in place of that. */
  let inFiles = contentOf(current);
  const tellIgnored = (): void => {
    for (const why of current.ignored) log.warn(why);
  };
  tellIgnored();

  /** Takes what `read` gives, unless it throws; `source` says where it comes from where that is no file. */
  const take = (read: () => LoadedQuotas, source: string): Reloaded => {
    const before = contentOf(current);
    try {
      current = read();
    } catch (error) {
      return { ok: false, why: messageOf(error) };
    }
    since = clock.now();
    // Before what comes of it, such as a quota that has room again.
    if (contentOf(current) !== before) {
      log.info(`quotas taken over: ${current.definitions.length || 'none'}, ${whence(current, source)}`);
    }
    tellIgnored();
    onTaken();
    return taken();
  };
  const taken = (): Reloaded => ({ ok: true, file: current.file, quotas: current.definitions.length });

  /** Told once on standard error, and wherever somebody looks until the files are read without a mistake. */
  const noted = (result: Reloaded): Reloaded => {
    refused = result.ok ? null : { since: refused?.since ?? clock.now(), why: result.why };
    return result;
  };

  const takeFromFiles = (): Reloaded =>
    noted(
      take(() => {
        const next = loadQuotas(files);
        inFiles = contentOf(next);
        // Before anything is said of them: they are not the earlier ones.
        refused = null;
        return next;
      }, 'as there is no file any more'),
    );

  /** That of the files stays refused, if it was. */
  const takeSent = (sent: Uint8Array): Reloaded =>
    take(() => ({ file: null, definitions: parseQuotas(SENT, sent), ignored: [] }), 'sent by a command');

  /** What is watched changes for other reasons, too, which must not replace quotas that were sent. */
  const follow = (): Reloaded => {
    try {
      if (contentOf(loadQuotas(files)) === inFiles) return noted(taken());
    } catch (error) {
      return noted({ ok: false, why: messageOf(error) });
    }
    return takeFromFiles();
  };

  const stopWatching = watchFiles(
    [...files.map(({ path }) => path), ...options.alsoWatch],
    () => {
      const result = follow();
      if (!result.ok) log.error(`quotas not taken over, the ones before stay: ${result.why}`);
    },
    options.lookEveryMs,
  );

  const warnings = (): readonly string[] => {
    const { file, definitions } = current;
    const source = file === null ? SENT : refused === null ? file : `the earlier ${file}`;
    return [
      ...idleQuotas(definitions, source, around()),
      ...forgottenOnRestart(definitions, source, keptDays),
    ];
  };

  return {
    get definitions() {
      return current.definitions;
    },
    get file() {
      return current.file;
    },
    get since() {
      return since;
    },
    get refused() {
      return refused;
    },
    warnings,
    tellDoubts() {
      for (const doubt of warnings()) log.warn(doubt);
    },
    reload: (sent) => (sent === undefined ? takeFromFiles() : takeSent(sent)),
    [Symbol.dispose]: stopWatching,
  };
}

const whence = ({ file }: LoadedQuotas, source: string): string => (file === null ? source : `from ${file}`);

/** What of quotas is worth a word when it changes. */
const contentOf = ({ file, definitions }: Pick<LoadedQuotas, 'file' | 'definitions'>): string =>
  JSON.stringify({ file, definitions });

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
