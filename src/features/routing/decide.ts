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
  readonly forceHaikuToZai: boolean;
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
 * override, catalog, haiku to Z.AI, Anthropic. A choice without its key gives way to its fallback.
 */
export function decide(model: string | null, snapshot: Snapshot): Route {
  const { anth, paused, override } = snapshot;
  if (paused) return { provider: anth, decision: 'offload_paused', alternatives: [] };
  if (model === null) return { provider: anth, decision: toLane(anth), alternatives: [] };
  if (override !== null) return withKey(serverOf(override, snapshot), 'manual_override', snapshot);
  const provider = routedByCatalog(model, snapshot) ?? defaultProvider(model, snapshot);
  return withKey(provider, toLane(provider), snapshot);
}

/** The provider that serves a model that a person named: explicit, so the switch of the default rule is moot. */
const serverOf = (model: string, snapshot: Snapshot): Provider =>
  routedByCatalog(model, snapshot) ?? (isHaiku(model) ? snapshot.zai : snapshot.anth);

/** The provider of the first catalog route that a model matches. */
export const routedByCatalog = (model: string, { routes }: Snapshot): Provider | undefined =>
  routes.find(({ matches }) => matches(model))?.provider;

const defaultProvider = (model: string, { forceHaikuToZai, zai, anth }: Snapshot): Provider =>
  forceHaikuToZai && isHaiku(model) ? zai : anth;

const isHaiku = (model: string): boolean => model.toLowerCase().includes('haiku');

const toLane = ({ lane }: Provider): Decision => `to_${lane}`;

function withKey(chosen: Provider, decision: Decision, { providers, anth }: Snapshot): Route {
  const fallbacks = chosen.fallback.flatMap((id) => providers.get(id) ?? []).filter(hasKey);
  if (hasKey(chosen)) return { provider: chosen, decision, alternatives: fallbacks };
  // Only `zai` starts without its key (a catalog entry may not), and it names `anth`, which needs none.
  const [provider = anth, ...alternatives] = fallbacks;
  return { provider, decision: 'no_credential', alternatives };
}

const hasKey = ({ auth }: Provider): boolean => auth.kind === 'client' || auth.key !== null;
