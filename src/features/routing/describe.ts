/** The providers as a person or a script may see them: everything but the keys. */
import type { Provider } from '../../core/types.ts';
import type { HeaderMode } from '../../protocol/usage-event.ts';
import { isLicensed, type Snapshot } from './decide.ts';
import type { LoadedCatalogs } from './load-catalogs.ts';

export interface ProviderRow {
  readonly id: string;
  readonly lane: string;
  readonly base_url: string;
  /** The variable that holds the key and how it is sent; null: the client's own credentials pass. */
  readonly auth: { readonly env: string; readonly set: boolean; readonly header_mode: HeaderMode } | null;
  readonly h2: boolean;
  /** Globs that lead here, in the order in which they are tried. */
  readonly routes: readonly string[];
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
  { providers, sources, routes }: LoadedCatalogs,
  snapshot: Snapshot,
): readonly ProviderRow[] {
  return [...providers.values()].map((provider) => ({
    id: provider.id,
    lane: provider.lane,
    base_url: provider.origin + provider.basePath,
    auth: describeAuth(provider),
    h2: provider.h2,
    routes: [
      ...routes.filter((route) => route.provider === provider).map(({ glob }) => glob),
      ...defaultRoutes(provider, snapshot),
    ],
    fallback: provider.fallback,
    feature: provider.feature,
    licensed: isLicensed(provider, snapshot),
    rewrite_model: Object.fromEntries(provider.rewriteModel),
    source: sources.get(provider.id) ?? 'built in',
  }));
}

function describeAuth({ auth }: Provider): ProviderRow['auth'] {
  if (auth.kind === 'client') return null;
  return { env: auth.env, set: auth.key !== null, header_mode: auth.headerMode };
}

/** What the embedded default sends to a built-in provider. */
function defaultRoutes(provider: Provider, { zai, anth, forceHaikuToZai }: Snapshot): string[] {
  if (provider === zai) return forceHaikuToZai ? ['*haiku*'] : [];
  return provider === anth ? ['*'] : [];
}
