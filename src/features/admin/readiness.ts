/**
 * Whether each provider can be reached, asked without credentials. Askers share one probe and its result for
 * a while: a monitoring system must not become load on an upstream.
 */
import { STATUS_CODES } from 'node:http';
import type { Provider } from '../../core/types.ts';
import type { Clock } from '../../platform/clock.ts';
import type { ErrType } from '../../protocol/usage-event.ts';

/** What came of one request to a provider without credentials. */
export type ProbeOutcome =
  | { readonly status: number; readonly ms: number }
  | { readonly error: ErrType; readonly message: string; readonly ms: number };

/** Asks one provider. Keeps to the timeout (milliseconds), sends no credential, never rejects. */
export type Probe = (provider: Provider, timeoutMs: number) => Promise<ProbeOutcome>;

export interface ProviderState {
  readonly ok: boolean;
  /** The status that the provider answered with, null where it did not answer. */
  readonly status: number | null;
  /** The status in words, like `method_not_allowed`, or the type of the failure. */
  readonly reason: string;
  readonly ms: number;
  readonly lane: string;
  /** `missing`: reachable or not, nothing is routed there until its key is set. */
  readonly credential: 'client' | 'set' | 'missing';
  /** What the failure said. */
  readonly detail?: string;
}

export interface Readiness {
  /** All providers are ok. */
  readonly ready: boolean;
  /** By provider id, in the order of the catalog. */
  readonly providers: Readonly<Record<string, ProviderState>>;
}

export interface ReadinessOptions {
  /** The catalog as it is now; a reload replaces its entries. */
  readonly providers: () => readonly Provider[];
  readonly probe: Probe;
  readonly clock: Clock;
  /** Told of each fresh result, but not of what was asked of providers that were replaced meanwhile. */
  readonly onResult: (readiness: Readiness) => void;
}

export const PROBE_TIMEOUT_MS = 2_000;
export const CACHE_MS = 5_000;

/** One probe of all providers, shared by everybody who asks while it runs and for a while after. */
interface Round {
  readonly asked: readonly Provider[];
  readonly result: Promise<Readiness>;
  /** Monotonic; null while the probes are under way. */
  finishedAt: number | null;
}

/** Probes, or hands out the result of a probe that ended less than `maxAgeMs` ago, by default `CACHE_MS`. */
export type AskReadiness = (maxAgeMs?: number) => Promise<Readiness>;

/** Nothing is probed before somebody asks. */
export function createReadiness({ providers, probe, clock, onResult }: ReadinessOptions): AskReadiness {
  let last: Round | null = null;

  const start = (asked: readonly Provider[]): Round => {
    const result = probeAll(asked, probe);
    const round: Round = { asked, result, finishedAt: null };
    const finish = (): void => {
      round.finishedAt = clock.monotonic();
    };
    const tell = (readiness: Readiness): void => {
      if (last === round) onResult(readiness);
    };
    result.then(tell).then(finish, finish);
    return round;
  };

  const serves = (round: Round, current: readonly Provider[], maxAgeMs: number): boolean =>
    areSame(round.asked, current) &&
    (round.finishedAt === null || clock.monotonic() - round.finishedAt < maxAgeMs);

  return (maxAgeMs = CACHE_MS) => {
    const current = providers();
    if (last === null || !serves(last, current, maxAgeMs)) last = start(current);
    return last.result;
  };
}

/** A reload replaces the providers: then the question is a new one. */
function areSame(a: readonly Provider[], b: readonly Provider[]): boolean {
  return a.length === b.length && a.every((provider, at) => provider === b[at]);
}

async function probeAll(providers: readonly Provider[], probe: Probe): Promise<Readiness> {
  const states = await Promise.all(
    providers.map(async (provider) => stateOf(provider, await probe(provider, PROBE_TIMEOUT_MS))),
  );
  return {
    ready: states.every(({ ok }) => ok),
    providers: Object.fromEntries(states.map((state, at) => [providers[at]?.id, state])),
  };
}

/** Any answer from 200 to 405 shows that the provider is there: it was asked without a key (contract, 8). */
function stateOf(provider: Provider, outcome: ProbeOutcome): ProviderState {
  const { lane } = provider;
  const credential = credentialOf(provider);
  const ms = Math.round(outcome.ms);
  if ('error' in outcome) {
    return { ok: false, status: null, reason: outcome.error, ms, lane, credential, detail: outcome.message };
  }
  const { status } = outcome;
  return { ok: status >= 200 && status <= 405, status, reason: inWords(status), ms, lane, credential };
}

function credentialOf({ auth }: Provider): ProviderState['credential'] {
  if (auth.kind === 'client') return 'client';
  return auth.key === null ? 'missing' : 'set';
}

function inWords(status: number): string {
  const phrase = STATUS_CODES[status];
  return phrase === undefined ? `http_${status}` : phrase.toLowerCase().replaceAll(/[^a-z]+/g, '_');
}
