/** The routing decision: a pure function of a request's model and a snapshot of everything that matters. */
import type { Provider, Refusal, Route } from '../../core/types.ts';
import type { Matcher } from '../../protocol/glob.ts';
import { openingText, waitSeconds } from '../../protocol/opening-text.ts';
import { isPassable, OPEN, type Opening, type Standing } from '../../protocol/standing.ts';
import type { Decision } from '../../protocol/usage-event.ts';

/** All that a decision depends on besides the request; replaced whole when any of it changes. */
export interface Snapshot {
  /** By id; always has `anth` and `zai`. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly anth: Provider;
  readonly zai: Provider;
  /** The catalogs' routes, first match wins. */
  readonly routes: readonly CompiledRoute[];
  /** Routes of the policy pack, first match wins; they come after the catalogs'. */
  readonly policyRoutes: readonly CompiledRoute[];
  /** Whether the embedded default and the policy offload to `zai`. */
  readonly forceHaikuToZai: boolean;
  /** The features that the licence grants now. */
  readonly licensed: ReadonlySet<string>;
  readonly paused: boolean;
  /** The model that every request is routed as; null for its own. */
  readonly override: string | null;
}

export interface CompiledRoute {
  readonly matches: Matcher;
  readonly provider: Provider;
}

/** A choice before anything may turn it away; the same for a model as long as the snapshot is. */
export interface Choice {
  readonly provider: Provider;
  readonly decision: Decision;
  /** Why the licence turns it away; null where it does not. */
  readonly unlicensed: Refusal | null;
  /** Why it can't be used for want of a key; null where it has one. */
  readonly keyless: Refusal | null;
  /** Who may take over: licensed and with a key. */
  readonly fallbacks: readonly Provider[];
}

/** What stands in the way of a provider at this moment. */
export type StandingOf = (provider: Provider) => Standing;

/**
 * Where a request for `model` goes (null: no JSON body, or none that names one). First match wins: pause,
 * override, catalog, policy, haiku to Z.AI, Anthropic. A choice that a gate turns away gives way to its fallback.
 */
export const decide = (
  model: string | null,
  snapshot: Snapshot,
  standingOf: StandingOf = () => OPEN,
): Route => passGates(choose(model, snapshot), standingOf);

/** The part of a decision that may be remembered: what the snapshot alone settles. */
export function choose(model: string | null, snapshot: Snapshot): Choice {
  const { anth, paused, override } = snapshot;
  if (paused) return choiceOf(anth, 'offload_paused', { ...snapshot, providers: NOBODY });
  if (model === null) return choiceOf(anth, toLane(anth), { ...snapshot, providers: NOBODY });
  if (override !== null) return choiceOf(serverOf(override, snapshot), 'manual_override', snapshot);
  const provider = chosenFor(model, snapshot);
  return choiceOf(provider, toLane(provider), snapshot);
}

const NOBODY: Snapshot['providers'] = new Map();

const chosenFor = (model: string, snapshot: Snapshot): Provider =>
  routedExplicitly(model, snapshot) ?? defaultProvider(model, snapshot);

/** The provider that serves a model that a person named: explicit, so the switch of the offload is moot. */
const serverOf = (model: string, snapshot: Snapshot): Provider =>
  chosenFor(model, { ...snapshot, forceHaikuToZai: true });

/** The provider of the first route that a person wrote down for a model, in a catalog or in the policy. */
export const routedExplicitly = (model: string, snapshot: Snapshot): Provider | undefined =>
  routedByCatalog(model, snapshot) ?? routedByPolicy(model, snapshot);

/** The provider of the first catalog route that a model matches. */
const routedByCatalog = (model: string, { routes }: Snapshot): Provider | undefined =>
  routes.find(({ matches }) => matches(model))?.provider;

/** The provider of the first policy route that a model matches, where the policy may offload there. */
function routedByPolicy(
  model: string,
  { policyRoutes, forceHaikuToZai, zai }: Snapshot,
): Provider | undefined {
  const routed = policyRoutes.find(({ matches }) => matches(model))?.provider;
  return routed === zai && !forceHaikuToZai ? undefined : routed;
}

const defaultProvider = (model: string, { forceHaikuToZai, zai, anth }: Snapshot): Provider =>
  forceHaikuToZai && isHaiku(model) ? zai : anth;

const isHaiku = (model: string): boolean => model.toLowerCase().includes('haiku');

const toLane = ({ lane }: Provider): Decision => `to_${lane}`;

function choiceOf(provider: Provider, decision: Decision, snapshot: Snapshot): Choice {
  const { id, feature, auth } = provider;
  const fallbacks = provider.fallback
    .flatMap((other) => snapshot.providers.get(other) ?? [])
    .filter((other) => isLicensed(other, snapshot) && hasKey(other));
  const unlicensed = isLicensed(provider, snapshot)
    ? null
    : forbidden(`provider ${id} needs the licence feature ${feature}; "ccp license status" says more`);
  const variable = auth.kind === 'key' ? auth.env : '';
  const keyless = hasKey(provider) ? null : forbidden(`the key of provider ${id} is not set (${variable})`);
  return { provider, decision, unlicensed, keyless, fallbacks };
}

/**
 * The gates in their order: licence, cooldown, quota, key. What turns the choice away is the decision; the first
 * fallback that passes gets the request, and those behind it may take over (they are asked again then).
 */
export function passGates(choice: Choice, standingOf: StandingOf): Route {
  const { provider, fallbacks } = choice;
  const standing = choice.unlicensed === null ? standingOf(provider) : OPEN;
  const obstacle = obstacleOf(choice, standing);
  if (obstacle === null) {
    const decision = standing.kind === 'warn' ? 'quota_warn_attempt' : choice.decision;
    return { provider, decision, alternatives: fallbacks };
  }
  const others = fallbacks.map((other) => ({ provider: other, standing: standingOf(other) }));
  const free = others.findIndex((other) => isPassable(other.standing));
  const next = others[free];
  if (next !== undefined) {
    return { provider: next.provider, decision: obstacle, alternatives: fallbacks.slice(free + 1) };
  }
  const locked = choice.unlicensed ?? choice.keyless;
  const usable = [...(locked === null ? [{ provider, standing }] : []), ...others];
  // Nobody is free. Where a lane only rests, its upstream's own answer is better than one of ours.
  const resting = usable.find((one) => one.standing.kind === 'cooldown')?.provider;
  if (resting !== undefined) {
    return {
      provider: resting,
      decision: resting === provider ? choice.decision : obstacle,
      alternatives: [],
    };
  }
  // The quota comes before the key: it is told of although the key is missing as well.
  const openings = [{ standing }, ...others].flatMap((one) =>
    one.standing.kind === 'block' ? one.standing.opening() : [],
  );
  const [soonest] = openings.toSorted((a, b) => a.inMs - b.inMs);
  if (soonest !== undefined) {
    return { provider, decision: 'quota_block', alternatives: [], refusal: usedUp(soonest) };
  }
  return { provider, decision: obstacle, alternatives: [], ...(locked !== null && { refusal: locked }) };
}

/** The decision of the first gate that turns the choice away; null where it passes. */
function obstacleOf({ unlicensed, keyless }: Choice, standing: Standing): Decision | null {
  if (unlicensed !== null) return 'license_block';
  if (standing.kind === 'cooldown') return 'cooldown';
  if (standing.kind === 'block') return 'quota_block';
  return keyless === null ? null : 'no_credential';
}

const forbidden = (message: string): Refusal => ({
  status: 403,
  type: 'permission_error',
  message,
  errType: 'auth',
});

/** As the published gateway contract asks of a budget of our own: the client waits and does not retry by itself. */
const usedUp = (opening: Opening): Refusal => ({
  status: 429,
  type: 'billing_error',
  message: `${opening.why}; there is room again ${openingText(opening)}`,
  errType: 'limit',
  headers: ['retry-after', String(waitSeconds(opening)), 'x-should-retry', 'false'],
});

/** Whether the licence lets requests go to a provider. */
export const isLicensed = ({ feature }: Provider, { licensed }: Pick<Snapshot, 'licensed'>): boolean =>
  feature === null || licensed.has(feature);

const hasKey = ({ auth }: Provider): boolean => auth.kind === 'client' || auth.key !== null;
