/** Suites that no list of probes can describe: how their figures are chosen. What carries them out is `conductors.ts`. */
import { OperatorError } from '../errors.ts';
import type { NightPlan, Plan } from './run-record.ts';

type Driver = NonNullable<Plan['driver']>;

/** As typed; what is not given is the suite's. */
export interface DriverOptions {
  readonly rounds?: number | undefined;
  /** Of load, all rounds together. */
  readonly minutes?: number | undefined;
  readonly lane?: 'anthropic' | 'zai' | undefined;
  readonly maxRequests?: number | undefined;
  /** Of wakefulness. */
  readonly maxMinutes?: number | undefined;
  /** Between two rounds. */
  readonly pauseSecs?: number | undefined;
  readonly until?: 'green' | 'time' | undefined;
  readonly chaos?: boolean | undefined;
  /** Clients at once. */
  readonly width?: number | undefined;
}

interface Chosen extends Pick<Plan, 'upstream' | 'target'> {
  readonly driver?: DriverOptions | undefined;
  readonly client?: 'auto' | 'claude' | 'curl';
  readonly claude?: { readonly found: boolean };
}

/** No more requests than these go to a provider that asks money for them, whatever is typed. */
const MOST_REAL_REQUESTS = 500;

/** Throws USAGE for what would send too much, or is not possible with these upstreams or this target. */
export function drivenBy(driver: Driver, chosen: Chosen): Driver {
  const { driver: asked = {}, upstream, target } = chosen;
  if (driver.kind === 'overnight') return nightBy(driver, chosen);
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

/** What a Claude Code sends is some sixty thousand tokens. */
const MOST_REAL_CLIENTS = 50;
/** Real providers are asked one at a time, a few times a round, and left alone for a minute. */
const REAL_NIGHT = { width: 1, perRound: 4, roundMs: 4_000, pauseMs: 60_000 } as const;
/** A night has about so many rounds, none of them so short that a world is hardly open, or so long that it is too much for one. */
const ROUNDS_A_NIGHT = 24;
const ROUND_MS = { least: 8_000, most: 300_000 } as const;
const PROBES = { everyMs: 500, least: 32, most: 200 } as const;

function nightBy(
  night: NightPlan,
  { driver: asked = {}, upstream, target, client, claude }: Chosen,
): NightPlan {
  if (target.kind === 'url') {
    throw new OperatorError('USAGE', `${target.url} is not ours to restart, and a night restarts the proxy`, {
      hint: 'Leave --target out, or give a command with {port}.',
    });
  }
  if (asked.chaos === true && upstream === 'real') {
    throw new OperatorError('USAGE', '--chaos needs mocks: a real upstream plays no faults', {
      hint: 'Leave --chaos or --upstream out.',
    });
  }
  const usesClaude =
    client === 'claude' || (client !== 'curl' && night.clients === 'claude' && claude?.found);
  const clients = usesClaude === true ? 'claude' : 'raw';
  const most = clients === 'claude' ? MOST_REAL_CLIENTS : MOST_REAL_REQUESTS;
  if (upstream === 'real' && (asked.maxRequests ?? asked.width ?? 0) > most) {
    throw new OperatorError('USAGE', `more than ${most} requests may not go to real providers in one run`, {
      hint: `--max-requests ${most} or less.`,
    });
  }
  return {
    ...night,
    ...(asked.maxMinutes !== undefined && paced(asked.maxMinutes * 60_000, night)),
    ...(upstream === 'real' && REAL_NIGHT),
    ...(upstream === 'real' && { maxRequests: asked.maxRequests ?? most }),
    ...(asked.width !== undefined && { width: asked.width, perRound: asked.width }),
    ...(asked.rounds !== undefined && { maxRounds: asked.rounds, maxMs: timeForRounds(asked.rounds) }),
    ...(asked.minutes !== undefined && {
      maxMs: asked.minutes * 60_000,
      maxRounds: asked.rounds ?? MOST_ROUNDS,
    }),
    ...(asked.pauseSecs !== undefined && { pauseMs: asked.pauseSecs * 1000 }),
    until: asked.until ?? night.until,
    chaos: asked.chaos ?? night.chaos,
    clients,
  };
}

/** What so many rounds have where nobody says how long they may take, milliseconds. */
export const timeForRounds = (rounds: number): number => rounds * ROUND_MS.most;

/** More than a night of two days can hold: time is what ends one that has so many. */
export const MOST_ROUNDS = 100_000;

/** Longer rounds in a longer night, so that a process lives long enough for its slopes. */
function paced(
  maxMs: number,
  { toggles, ...night }: NightPlan,
): Pick<NightPlan, 'maxMs' | 'roundMs' | 'perRound'> {
  if (!toggles) return { ...night, maxMs };
  const roundMs = clamp(maxMs / ROUNDS_A_NIGHT, ROUND_MS);
  return { maxMs, roundMs, perRound: Math.round(clamp(roundMs / PROBES.everyMs, PROBES)) };
}

const clamp = (value: number, { least, most }: { readonly least: number; readonly most: number }): number =>
  Math.min(Math.max(value, least), most);

/** Where its requests go. */
export const lanesOf = (driver: Driver): readonly string[] =>
  driver.kind === 'limits' ? [driver.lane] : ['anthropic', 'zai'];

/** Where the requests of a run go, as it is planned. */
export const lanesIn = ({ driver, waves }: Pick<Plan, 'driver' | 'waves'>): ReadonlySet<string> =>
  new Set(driver === undefined ? waves.flat().map(({ lane }) => lane) : lanesOf(driver));
