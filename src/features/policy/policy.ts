/**
 * The policy feature: follows the pack that an operator publishes. Whatever goes wrong, what is in effect stays in
 * effect until it expires, and then the embedded default takes its place; nothing here stops or delays a request.
 */
import { type Clock, rfc3339 } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { fetchPolicy, type GetFile } from './fetch-policy.ts';
import { type CachedPolicy, type CacheOptions, readPolicyCache, writePolicyCache } from './policy-cache.ts';
import type { PolicyPack } from './policy-pack.ts';
import { explainRefusal, type PolicyReason, type Refusal, refuse } from './reasons.ts';
import { openPolicyPack, rollBack, timeTrouble } from './verify-policy.ts';

export interface PolicySource extends CacheOptions {
  /** Milliseconds between two questions for a new pack. */
  readonly refreshMs: number;
}

export interface PolicyOptions {
  /** Null where no policy is configured. */
  readonly source: PolicySource | null;
  readonly get: GetFile;
  /** Whether an origin leads back to our own listener. */
  readonly leadsToUs: (origin: string) => Promise<boolean>;
  /** Puts a pack into effect, null the embedded default. Called when it changes, and only then. */
  readonly apply: (pack: PolicyPack | null) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1: spreads the questions of many proxies. */
  readonly random?: () => number;
}

/** What `/readyz` shows. */
export interface PolicyState {
  /** `embedded`: one is configured and none is usable; `none`: none is configured. */
  readonly source: 'fetched' | 'cache' | 'embedded' | 'none';
  /** Of the pack in effect. */
  readonly version: number | null;
  /** Whole seconds since a server last stood by the pack in effect. */
  readonly age_s: number | null;
  /** Why the newest look brought no pack, or the pack at hand does not count; null where all is well. */
  readonly reason: PolicyReason | null;
}

export interface Policy extends AsyncDisposable {
  /** Puts the cached pack into effect; asks no server. Before the proxy listens. */
  load(): Promise<void>;
  /** Begins to ask for packs, at once and then on the interval. */
  follow(): void;
  readonly state: () => PolicyState;
}

/** A pack that was verified and taken over. */
interface Held extends CachedPolicy {
  readonly source: 'fetched' | 'cache';
}

/** After a failure it asks again sooner than usual, and less often each time. */
const FIRST_RETRY_MS = 5_000;
/** A machine that slept wakes up late: its timers are looked after at least this often. */
const LOOK_AT_CLOCK_MS = 60_000;
/** A tenth more or less. */
const JITTER = 0.1;

export function createPolicy(options: PolicyOptions): Policy {
  const { source, get, leadsToUs, apply, clock, log, random = Math.random } = options;
  /** The newest pack taken over, expired or not: nothing older comes after it. */
  let held: Held | null = null;
  let effective: PolicyPack | null = null;
  let trouble: Refusal | null = source === null ? null : refuse('pending', 'no policy pack is at hand yet');
  let etag: string | null = null;
  let failures = 0;
  let latest = Number.NEGATIVE_INFINITY;
  let stopped = false;
  let stopLook = (): void => {};
  let stopExpiry = (): void => {};

  /** Epoch milliseconds that never go back: a clock put back must not revive what has expired. */
  const now = (): number => {
    latest = Math.max(latest, clock.now());
    return latest;
  };

  const state = (): PolicyState => {
    if (source === null) return { source: 'none', version: null, age_s: null, reason: null };
    if (effective === null || held === null) {
      return { source: 'embedded', version: null, age_s: null, reason: trouble?.reason ?? null };
    }
    const age = Math.max(0, Math.floor((now() - held.fetchedAt) / 1000));
    return { source: held.source, version: effective.version, age_s: age, reason: trouble?.reason ?? null };
  };

  /** Brings into effect what is held, as long as its time lasts. */
  const settle = (): void => {
    stopExpiry();
    const late = held === null ? null : timeTrouble(held.pack, now());
    if (late !== null) trouble ??= late;
    const next = late === null ? (held?.pack ?? null) : null;
    if (next !== effective) {
      effective = next;
      apply(next);
      log.info(describe(state(), next));
    }
    if (next !== null) stopExpiry = clock.after(Math.min(LOOK_AT_CLOCK_MS, next.expiresAt - now()), settle);
  };

  /** Says once why there is no new pack, and once that it is over. */
  const report = (next: Refusal | null): void => {
    const before = trouble;
    trouble = next;
    if (next === null) {
      if (before !== null && before.reason !== 'pending') log.info('policy: the trouble is over');
    } else if (next.detail !== before?.detail) {
      log.warn(`policy: ${explainRefusal(next)}`);
    }
  };

  const keep = (taken: Held, cache: CacheOptions): void => {
    held = taken;
    try {
      writePolicyCache(cache, taken);
    } catch (error) {
      log.warn(`the policy cache ${cache.path} could not be written: ${String(error)}`);
    }
  };

  /** Asks once; gives why that brought no usable pack. */
  const look = async (from: PolicySource): Promise<Refusal | null> => {
    const fetched = await fetchPolicy({ url: from.url, etag, get });
    if (stopped) return null;
    if (fetched.state === 'failed') return fetched.refusal;
    if (fetched.state === 'unchanged') {
      if (held !== null) keep({ ...held, source: 'fetched', fetchedAt: now() }, from);
      return held === null ? null : timeTrouble(held.pack, now());
    }
    const { bytes, signature } = fetched;
    const opened = openPolicyPack({ bytes, signature, publicKey: from.publicKey });
    if (!opened.ok) return opened;
    const same = held?.bytes.equals(bytes) === true ? held.pack : null;
    const pack = same ?? opened.value;
    const refusal =
      (same === null && held !== null ? rollBack(pack, held.pack) : null) ??
      timeTrouble(pack, now()) ??
      (await ownListener(pack, leadsToUs));
    if (refusal !== null || stopped) return refusal;
    etag = fetched.etag;
    keep({ pack, bytes, signature, fetchedAt: now(), source: 'fetched' }, from);
    return null;
  };

  const lookAgain = async (from: PolicySource): Promise<void> => {
    const refusal = await look(from);
    if (stopped) return;
    report(refusal);
    settle();
    failures = refusal === null ? 0 : failures + 1;
    const usual = failures === 0 ? from.refreshMs : FIRST_RETRY_MS * 2 ** (failures - 1);
    const wait = Math.min(usual, from.refreshMs) * (1 - JITTER + 2 * JITTER * random());
    stopLook = clock.after(wait, () => void lookAgain(from));
  };

  return {
    async load() {
      if (source === null) return;
      const cached = readPolicyCache(source);
      if (cached?.ok === false) report(cached);
      if (cached?.ok === true) {
        const refusal = await ownListener(cached.value.pack, leadsToUs);
        report(refusal);
        if (refusal === null) held = { ...cached.value, source: 'cache' };
      }
      settle();
      if (effective === null) log.info(describe(state(), null));
    },
    follow() {
      if (source !== null) void lookAgain(source);
    },
    state,
    async [Symbol.asyncDispose]() {
      stopped = true;
      stopLook();
      stopExpiry();
    },
  };
}

async function ownListener(
  { upstreams }: PolicyPack,
  leadsToUs: PolicyOptions['leadsToUs'],
): Promise<Refusal | null> {
  for (const [id, baseUrl] of upstreams) {
    if (await leadsToUs(new URL(baseUrl).origin)) {
      return refuse('own_listener', `the pack points ${id} at ${baseUrl}, which is our own listener`);
    }
  }
  return null;
}

/** The line that says what is in effect, at the start and after each change. */
function describe({ source, version, age_s, reason }: PolicyState, pack: PolicyPack | null): string {
  const facts =
    pack === null
      ? [`reason=${reason}`]
      : [
          `version=${version}`,
          `age=${age_s}s`,
          `routes=${pack.routes.length}`,
          `upstreams=[${[...pack.upstreams.keys()].join(',')}]`,
          `expires=${rfc3339(pack.expiresAt)}`,
        ];
  return `[policy] source=${source} ${facts.join(' ')}`;
}
