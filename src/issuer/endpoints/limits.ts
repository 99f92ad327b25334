/** What one address may do in a while. */
import type { Clock } from '../../platform/clock.ts';
import { type Answer, type Endpoint, tooMany, type Visit } from '../http/visit.ts';
import { createRateLimit, type RateLimit } from '../rate-limit.ts';

export interface Limits {
  /** Requests that change something or look something up. */
  readonly requests: RateLimit;
  /** Codes that turned out to be none. RFC 8628 section 5.1 asks for this limit where codes are short enough to type. */
  readonly guesses: RateLimit;
  /** Devices that begin: each takes a place until it has its answer. */
  readonly devices: RateLimit;
}

export function createLimits(clock: Clock): Limits {
  return {
    requests: createRateLimit({ clock, burst: 120, perMinute: 120 }),
    guesses: createRateLimit({ clock, burst: 10, perMinute: 6 }),
    devices: createRateLimit({ clock, burst: 10, perMinute: 6 }),
  };
}

/** Counts every request to an endpoint. */
export function limited(limit: RateLimit, endpoint: Endpoint): Endpoint {
  return (visit) => {
    const seconds = limit.wait(visit.from);
    if (seconds !== null) return tooMany(seconds);
    limit.spend(visit.from);
    return endpoint(visit);
  };
}

/** The answer for who guessed wrong too often, right or not this time; null for everybody else. */
export function tooManyGuesses({ guesses }: Limits, { from }: Visit): Answer | null {
  const seconds = guesses.wait(from);
  return seconds === null ? null : tooMany(seconds);
}
