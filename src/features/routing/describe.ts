/** The providers as a person or a script may see them: everything but the keys. */
import type { Provider } from '../../core/types.ts';
import type { HeaderMode } from '../../protocol/usage-event.ts';
import { baseUrlOf, type Wired } from './apply-policy.ts';
import { isLicensed, type Snapshot } from './decide.ts';
import type { NamedRoute } from './load-catalogs.ts';

export interface ProviderRow {
  readonly id: string;
  readonly lane: string;
  readonly base_url: string;
  /** The base URL that the policy replaced; null where it stands as configured. */
  readonly moved_from: string | null;
  /** The variable that holds the key and how it is sent; null: the client's own credentials pass. */
  readonly auth: { readonly env: string; readonly set: boolean; readonly header_mode: HeaderMode } | null;
  readonly h2: boolean;
  /** Globs of catalogs and of the embedded default that lead here, in the order in which they are tried. */
  readonly routes: readonly string[];
  /** Globs of the policy that lead here; they come after the catalogs' and before the default. */
  readonly policy_routes: readonly string[];
  readonly fallback: readonly string[];
  /** The licence feature without which nothing goes here; null: none. */
  readonly feature: string | null;
  /** Whether the licence lets requests go here now. */
  readonly licensed: boolean;
  /** Client model → the name sent upstream: what changes a request body. */
  readonly rewrite_model: Readonly<Record<string, string>>;
  /** `built in`, or the catalog file. */
  readonly source: string;
}

export function describeProviders(
  { providers, sources, routes, policyRoutes, movedFrom }: Wired,
  snapshot: Snapshot,
): readonly ProviderRow[] {
  return [...providers.values()].map((provider) => ({
    id: provider.id,
    lane: provider.lane,
    base_url: baseUrlOf(provider),
    moved_from: movedFrom.get(provider.id) ?? null,
    auth: describeAuth(provider),
    h2: provider.h2,
    routes: [...globsTo(provider, routes), ...defaultRoutes(provider, snapshot)],
    policy_routes: policyMayRouteTo(provider, snapshot) ? globsTo(provider, policyRoutes) : [],
    fallback: provider.fallback,
    feature: provider.feature,
    licensed: isLicensed(provider, snapshot),
    rewrite_model: Object.fromEntries(provider.rewriteModel),
    source: sources.get(provider.id) ?? 'built in',
  }));
}

const globsTo = (provider: Provider, routes: readonly NamedRoute[]): string[] =>
  routes.filter((route) => route.provider === provider).map(({ glob }) => glob);

/** As `decide` has it: with the offload turned off, no policy turns it on. */
const policyMayRouteTo = (provider: Provider, { zai, forceHaikuToZai }: Snapshot): boolean =>
  provider !== zai || forceHaikuToZai;

function describeAuth({ auth }: Provider): ProviderRow['auth'] {
  if (auth.kind === 'client') return null;
  return { env: auth.env, set: auth.key !== null, header_mode: auth.headerMode };
}

/** What the embedded default sends to a built-in provider. */
function defaultRoutes(provider: Provider, { zai, anth, forceHaikuToZai }: Snapshot): string[] {
  if (provider === zai) return forceHaikuToZai ? ['*haiku*'] : [];
  return provider === anth ? ['*'] : [];
}
