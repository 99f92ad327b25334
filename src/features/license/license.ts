/** The licence feature: holds what the licence is worth now, follows its files and the time. */
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { watchFiles } from '../../platform/watch-files.ts';
import type { PublicKeys } from './public-keys.ts';
import type { Failure } from './reasons.ts';
import { lineOf, warningOf } from './report.ts';
import { filesOf, type LicenseSource, type ReadFile, readSource } from './sources.ts';
import { changesAt, type Genuine, type LicenseState, stateAt, verifyPack } from './verify.ts';

export interface LicenseOptions {
  readonly source: LicenseSource;
  readonly keys: PublicKeys;
  readonly read: ReadFile;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds between two looks at the files; a second unless a test is in a hurry. */
  readonly lookEveryMs?: number;
}

export interface LicenseFeature extends AsyncDisposable {
  /** The features that are granted at this very moment; the same set until they change. */
  readonly licensed: () => ReadonlySet<string>;
  /** What the licence is worth at this very moment. */
  readonly state: () => LicenseState;
}

const NOTHING: ReadonlySet<string> = new Set();
/** A timer of Node fires at once beyond 24.8 days. */
const LONGEST_TIMER_MS = 86_400_000;

/** Reads what the source holds and verifies it; nothing of it is remembered. */
export function inspect({
  source,
  keys,
  read,
}: Pick<LicenseOptions, 'source' | 'keys' | 'read'>): Genuine | Failure {
  const reading = readSource(source, read);
  return reading.ok ? verifyPack(reading.pack, keys) : reading;
}

/** Reads the licence and says on the log what it is worth, now and at each change. A wrong one is no error. */
export function createLicense(options: LicenseOptions): LicenseFeature {
  const { source, clock, log, lookEveryMs } = options;
  // Before the first reading, so that no change falls between the two.
  const stopWatching = watchFiles(filesOf(source), () => readAgain(), lookEveryMs);
  // Never goes back: a clock that is put back must not revive what has expired before our eyes.
  let latest = clock.now();
  let found = inspect(options);
  let state = stateAt(found, latest, source.label);
  let features = featuresOf(state);
  let nextChange = changesAt(found, latest);
  let cancelTimer = (): void => {};

  const settle = (): void => {
    const before = JSON.stringify(state);
    state = stateAt(found, latest, source.label);
    nextChange = changesAt(found, latest);
    schedule();
    if (JSON.stringify(state) === before) return;
    features = featuresOf(state);
    announce(state, log);
  };
  /** Decides by the clock and not by the timer, which may be late or, where the machine slept, very late. */
  const keepTime = (): void => {
    const now = clock.now();
    if (now > latest) latest = now;
    if (latest >= nextChange) settle();
  };
  /** So that the log tells of a change while nobody asks. */
  const schedule = (): void => {
    cancelTimer();
    if (nextChange === Number.POSITIVE_INFINITY) return;
    cancelTimer = clock.after(Math.min(nextChange - latest, LONGEST_TIMER_MS), () => {
      keepTime();
      schedule();
    });
  };

  const readAgain = (): void => {
    keepTime();
    found = inspect(options);
    settle();
  };

  announce(state, log);
  schedule();

  return {
    licensed() {
      keepTime();
      return features;
    },
    state() {
      keepTime();
      return state;
    },
    async [Symbol.asyncDispose]() {
      stopWatching();
      cancelTimer();
    },
  };
}

/** The features that a state grants. */
export const featuresOf = (state: LicenseState): ReadonlySet<string> =>
  state.ok ? new Set(state.features) : NOTHING;

function announce(state: LicenseState, log: Log): void {
  log.info(lineOf(state));
  if (!state.ok && state.reason !== 'none') log.warn(warningOf(state));
}
