/** What a policy pack makes of the catalogs: where providers lie, and which routes follow the catalogs' own. */
import type { Provider } from '../../core/types.ts';
import { parseBaseUrl } from '../../protocol/base-url.ts';
import { compileGlob } from '../../protocol/glob.ts';
import type { LoadedCatalogs, NamedRoute } from './load-catalogs.ts';

/** The part of a verified policy pack that routing acts on. */
export interface PolicyRules {
  /** Model globs and provider ids, in the order in which they are tried. */
  readonly routes: readonly { readonly glob: string; readonly provider: string }[];
  /** Id of a provider → its base URL. */
  readonly upstreams: ReadonlyMap<string, string>;
}

export interface Wired extends LoadedCatalogs {
  readonly policyRoutes: readonly NamedRoute[];
  /** Id of a provider that the policy moved → the base URL that it would have otherwise. */
  readonly movedFrom: ReadonlyMap<string, string>;
  /** What of the policy could not be done, a sentence each. */
  readonly skipped: readonly string[];
}

/** Puts a policy over the catalogs; null leaves them as they are. What names an unknown provider is skipped. */
export function applyPolicy(catalogs: LoadedCatalogs, policy: PolicyRules | null): Wired {
  const { routes, upstreams } = policy ?? NOTHING;
  const providers = new Map(catalogs.providers);
  const movedFrom = new Map<string, string>();
  const skipped: string[] = [];
  for (const [id, baseUrl] of upstreams) {
    const provider = providers.get(id);
    const place = parseBaseUrl(baseUrl);
    if (provider === undefined) skipped.push(`the policy moves "${id}", which is no provider here: skipped`);
    // The client's own credentials go where the operator of this machine says, and nowhere else.
    else if (provider.auth.kind === 'client' || place === null)
      skipped.push(`the policy may not move "${id}": skipped`);
    else if (baseUrlOf({ ...provider, ...place }) !== baseUrlOf(provider)) {
      providers.set(id, { ...provider, ...place });
      movedFrom.set(id, baseUrlOf(provider));
    }
  }
  return {
    ...catalogs,
    providers,
    // A route holds its provider: those of the catalogs must lead to the moved ones, too.
    routes: catalogs.routes.map((route) => ({
      ...route,
      provider: providers.get(route.provider.id) ?? route.provider,
    })),
    policyRoutes: routes.flatMap(({ glob, provider: id }) => {
      const provider = providers.get(id);
      if (provider !== undefined) return [{ glob, matches: compileGlob(glob), provider }];
      skipped.push(`the policy routes "${glob}" to "${id}", which is no provider here: skipped`);
      return [];
    }),
    movedFrom,
    skipped,
  };
}

const NOTHING: PolicyRules = { routes: [], upstreams: new Map() };

export const baseUrlOf = ({ origin, basePath }: Provider): string => origin + basePath;
