/** What carries out a suite that no list of probes can describe; each is loaded where it is needed. */
import type { Conducting, Driving } from './execute.ts';
import type { Plan } from './run-record.ts';

/** What conducts the run of a plan; undefined where one world is enough. */
export function conductOf({
  driver,
}: Pick<Plan, 'driver'>): ((conducting: Conducting) => Promise<void>) | undefined {
  if (driver?.kind !== 'overnight') return undefined;
  return async (conducting) => (await import('./night/night.ts')).conductNight(conducting, driver);
}

/** What drives the run of a plan; undefined where its waves are sent. */
export function driveOf({ driver }: Pick<Plan, 'driver'>): ((driving: Driving) => Promise<void>) | undefined {
  if (driver === undefined || driver.kind === 'overnight') return undefined;
  return driver.kind === 'soak'
    ? async (driving) => (await import('./soak.ts')).soak(driving, driver)
    : async (driving) => (await import('./probe-limits.ts')).probeLimits(driving, driver);
}
