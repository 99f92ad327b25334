import { closeSync, openSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { plural } from '../../../analysis/plural.ts';
import type { LoadedCcp } from '../../../config/ccp-settings.ts';
import {
  CSV_HEADING,
  csvLine,
  exportLine,
  forOperator,
  forOperatorAsync,
  openStoreToRead,
  POINT_IN_TIME_ALLOWED,
  parseMoment,
  type SampleFilter,
  type StoreFile,
  settle,
} from '../../../config/store-files.ts';
import { EXIT, OperatorError } from '../../../errors.ts';
import type { Host } from '../../shared/host.ts';
import { processTerminal } from '../../shared/terminal.ts';
import { warnOfFuture } from '../future.ts';
import { lanesNow } from '../lanes-now.ts';
import { load } from '../load.ts';

export interface ExportOptions {
  readonly csv?: boolean;
  readonly jsonl?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly model?: string;
  readonly lane?: string;
  readonly out?: string;
  /** Whether a file that is there may be overwritten. */
  readonly force?: boolean;
}

/** Lines that go out in one write. */
const AT_ONCE = 500;

/** `ccp db export`. Rows are read and written by the way, so that memory does not grow with them. */
export async function dbExport(host: Host, options: ExportOptions): Promise<number> {
  const { csv = false, jsonl = false, out, force = false } = options;
  if (csv === jsonl) {
    throw new OperatorError('USAGE', 'say how: --csv or --jsonl', { hint: 'One of them, not both.' });
  }
  const filter = filterOf(options, Date.now());
  const loaded = load(host);
  if (options.since !== undefined) warnOfFuture(host, options.since);
  const { paths } = loaded;
  using store = openStoreToRead(paths.store);
  if (options.lane !== undefined) await refuseStranger(store, options.lane, loaded);
  using interruption = processTerminal().interruption();
  using output = out === undefined ? screenOutput(host) : fileOutput(resolve(host.cwd, out), force);
  const count = await forOperatorAsync(paths.store, async () => {
    let total = 0;
    let lines = csv ? [CSV_HEADING] : [];
    const write = (): void => {
      if (lines.length > 0) output.write(`${lines.join('\n')}\n`);
      lines = [];
    };
    try {
      for (const row of store.samples.each(filter)) {
        lines.push(csv ? csvLine(row) : exportLine(row));
        total += 1;
        if (lines.length < AT_ONCE) continue;
        write();
        // Only now a signal is heard.
        await breathe();
        interruption.signal.throwIfAborted();
      }
    } finally {
      // Of a damaged file every row that can be read is worth having.
      write();
    }
    return total;
  });
  output.end();
  if (out !== undefined) host.err.write(`ccp: ${plural(count, 'exchange')} written to ${out}\n`);
  return EXIT.ok;
}

/** A lane that there is not and never was is a mistake, which an empty table would hide. */
async function refuseStranger(store: StoreFile, lane: string, loaded: LoadedCcp): Promise<void> {
  if (forOperator(loaded.paths.store, () => store.rollups.knowsLane(lane))) return;
  const lanes = (await lanesNow(loaded))?.map((one) => one.lane);
  if (lanes === undefined || lanes.includes(lane)) return;
  throw new OperatorError(
    'USAGE',
    `--lane ${lane}: there is no such lane, and nothing was counted under it`,
    {
      hint: `There are ${[...new Set(lanes)].toSorted().join(', ')}.`,
    },
  );
}

function filterOf({ since, until, model, lane }: ExportOptions, now: number): SampleFilter {
  return {
    ...(since !== undefined && { since: timeOf('--since', since, now) }),
    ...(until !== undefined && { until: timeOf('--until', until, now) }),
    ...(model !== undefined && { model }),
    ...(lane !== undefined && { lane }),
  };
}

function timeOf(flag: string, text: string, now: number): number {
  const moment = parseMoment(text);
  if (moment !== null) return settle(moment, now);
  throw new OperatorError('USAGE', `${flag} must be ${POINT_IN_TIME_ALLOWED}`);
}

interface Output extends Disposable {
  write(text: string): void;
  /** All was written. */
  end(): void;
}

const screenOutput = ({ out }: Host): Output => ({
  write: (text) => out.write(text),
  end: () => {},
  [Symbol.dispose]: () => {},
});

/** A file that has its name only when it is whole. A link is followed, and what is no file, as a pipe, written as it is. */
function fileOutput(path: string, force: boolean): Output {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.isFile() === true && !force) {
    throw new OperatorError('USAGE', `${path} is there already`, {
      hint: 'Name another file, or overwrite this one with --force.',
    });
  }
  const target = there === undefined ? path : realpathSync(path);
  const written = there === undefined || there.isFile() ? `${target}.part` : target;
  const fd = orSay(path, () => openSync(written, 'w', 0o600));
  let ended = written === target;
  return {
    write: (text) => orSay(path, () => writeFileSync(fd, text)),
    end() {
      if (!ended) orSay(path, () => renameSync(written, target));
      ended = true;
    },
    [Symbol.dispose]() {
      closeSync(fd);
      if (!ended) rmSync(written, { force: true });
    },
  };
}

function orSay<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new OperatorError('NOT_READY', `${path} cannot be written: ${said}`, {
      hint: 'Name a file in a folder that is there, with room, and that this user may write.',
      cause,
    });
  }
}
