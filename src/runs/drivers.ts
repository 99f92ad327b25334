/** Suites that no list of probes can describe: how their figures are chosen, and what carries them out. */
import { OperatorError } from '../errors.ts';
import type { Driving } from './execute.ts';
import type { Plan } from './run-record.ts';

type Driver = NonNullable<Plan['driver']>;

/** As typed; what is not given is the suite's. */
export interface DriverOptions {
  readonly rounds?: number | undefined;
  /** Of load, all rounds together. */
  readonly minutes?: number | undefined;
  readonly lane?: 'anthropic' | 'zai' | undefined;
  readonly maxRequests?: number | undefined;
}

/** No more requests than these go to a provider that asks money for them, whatever is typed. */
const MOST_REAL_REQUESTS = 500;

/** Throws USAGE for what would send too much, or is not possible with these upstreams or this target. */
export function drivenBy(
  driver: Driver,
  {
    driver: asked = {},
    upstream,
    target,
  }: Pick<Plan, 'upstream' | 'target'> & { readonly driver?: DriverOptions | undefined },
): Driver {
  if (driver.kind === 'soak') {
    if (upstream === 'real' || target.kind === 'url') {
      throw new OperatorError('USAGE', 'soak-persist kills the proxy amid a load that only mocks can bear', {
        hint: 'Leave --upstream and --target out.',
      });
    }
    const rounds = asked.rounds ?? driver.rounds;
    const roundMs = asked.minutes === undefined ? driver.roundMs : (asked.minutes * 60_000) / rounds;
    return { ...driver, rounds, roundMs };
  }
  const maxRequests = asked.maxRequests ?? driver.maxRequests;
  if (target.kind === 'url') {
    throw new OperatorError(
      'USAGE',
      'probe-limits needs a proxy that falls back to nobody, and starts it itself',
      {
        hint: 'Leave --target out.',
      },
    );
  }
  if (upstream === 'real' && maxRequests > MOST_REAL_REQUESTS) {
    throw new OperatorError('USAGE', `--max-requests ${maxRequests} is more than may go to a real provider`, {
      hint: `At most ${MOST_REAL_REQUESTS}.`,
    });
  }
  return { ...driver, lane: asked.lane ?? driver.lane, maxRequests };
}

/** Where its requests go. */
export const lanesOf = (driver: Driver): readonly string[] =>
  driver.kind === 'soak' ? ['anthropic', 'zai'] : [driver.lane];

/** What drives the run of a plan; undefined where its waves are sent. */
export function driveOf({ driver }: Pick<Plan, 'driver'>): ((driving: Driving) => Promise<void>) | undefined {
  if (driver === undefined) return undefined;
  return driver.kind === 'soak'
    ? async (driving) => (await import('./soak.ts')).soak(driving, driver)
    : async (driving) => (await import('./probe-limits.ts')).probeLimits(driving, driver);
}
