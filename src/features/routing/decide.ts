/** The routing decision: a pure function of a request's model and a snapshot of everything that matters. */
import type { Provider, Route } from '../../core/types.ts';
import type { Decision } from '../../protocol/usage-event.ts';
import type { Matcher } from './glob.ts';

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

/**
 * Where a request for `model` goes (null: no JSON body, or none that names one). First match wins: pause,
 * override, catalog, policy, haiku to Z.AI, Anthropic. A choice that a gate turns away gives way to its fallback.
 */
export function decide(model: string | null, snapshot: Snapshot): Route {
  const { anth, paused, override } = snapshot;
  if (paused) return { provider: anth, decision: 'offload_paused', alternatives: [] };
  if (model === null) return { provider: anth, decision: toLane(anth), alternatives: [] };
  if (override !== null) return throughGates(serverOf(override, snapshot), 'manual_override', snapshot);
  const provider = chosenFor(model, snapshot);
  return throughGates(provider, toLane(provider), snapshot);
}

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

/** The gates in their order: licence, then key. Who may take over has passed them, too. */
function throughGates(chosen: Provider, decision: Decision, snapshot: Snapshot): Route {
  const fallbacks = chosen.fallback
    .flatMap((id) => snapshot.providers.get(id) ?? [])
    .filter((provider) => isLicensed(provider, snapshot) && hasKey(provider));
  if (!isLicensed(chosen, snapshot)) {
    const refusal = `provider ${chosen.id} needs the licence feature ${chosen.feature}; "ccp license status" says more`;
    return turnedAway(chosen, 'license_block', fallbacks, refusal);
  }
  if (hasKey(chosen)) return { provider: chosen, decision, alternatives: fallbacks };
  const variable = chosen.auth.kind === 'key' ? chosen.auth.env : '';
  const refusal = `the key of provider ${chosen.id} is not set (${variable})`;
  return turnedAway(chosen, 'no_credential', fallbacks, refusal);
}

/** Whether the licence lets requests go to a provider. */
export const isLicensed = ({ feature }: Provider, { licensed }: Pick<Snapshot, 'licensed'>): boolean =>
  feature === null || licensed.has(feature);

/** On to the first fallback, or to nobody. */
function turnedAway(
  chosen: Provider,
  decision: Decision,
  [provider, ...alternatives]: readonly Provider[],
  refusal: string,
): Route {
  return provider === undefined
    ? { provider: chosen, decision, alternatives: [], refusal }
    : { provider, decision, alternatives };
}

const hasKey = ({ auth }: Provider): boolean => auth.kind === 'client' || auth.key !== null;
