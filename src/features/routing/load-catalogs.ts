/** From catalog files to the providers and routes that they add to the built-in ones. */
import type { Provider } from '../../core/types.ts';
import { OperatorError } from '../../errors.ts';
import type { PlacedFile } from '../../platform/placed-file.ts';
import { compileGlob } from '../../protocol/glob.ts';
import { type Catalog, parseCatalog } from './catalog.ts';
import type { CompiledRoute } from './decide.ts';
import { catalogProvider, type KeyOf } from './providers.ts';

export interface CatalogOptions {
  /** In order of precedence: of two entries with one id, and of two routes, the earlier file's counts. */
  readonly files: readonly PlacedFile[];
  readonly builtIn: readonly Provider[];
  readonly keyOf: KeyOf;
  readonly forceH1: boolean;
}

/** A route as written and as used. */
export type NamedRoute = CompiledRoute & { readonly glob: string };

export interface LoadedCatalogs {
  /** By id; the built-in ones first. */
  readonly providers: ReadonlyMap<string, Provider>;
  /** Id of a provider → the file it comes from; the built-in ones have none. */
  readonly sources: ReadonlyMap<string, string>;
  readonly routes: readonly NamedRoute[];
  /** Why files that are there do not count, a sentence each. */
  readonly ignored: readonly string[];
}

/** Reads all catalogs. Throws `CONFIG` for the first thing that is wrong in one. */
export function loadCatalogs({ files, builtIn, keyOf, forceH1 }: CatalogOptions): LoadedCatalogs {
  const texts = files.map((file) => ({ file, found: file.read() }));
  const known = new Set(builtIn.map(({ id }) => id));
  const catalogs: Catalog[] = [];
  // Backwards: a file may route to the providers of those it takes precedence over.
  for (const { file, found } of texts.toReversed()) {
    if (found.state === 'absent' && file.required) {
      throw new OperatorError('CONFIG', `there is no provider catalog ${file.path}`);
    }
    if (found.state !== 'used') continue;
    const catalog = parseCatalog(file.path, found.bytes, {
      known,
      hasKey: (variable) => keyOf(variable) !== null,
    });
    for (const { id } of catalog.entries) known.add(id);
    catalogs.unshift(catalog);
  }

  const providers = new Map(builtIn.map((provider) => [provider.id, provider]));
  const sources = new Map<string, string>();
  for (const { path, entries } of catalogs) {
    for (const entry of entries) {
      if (providers.has(entry.id)) continue;
      providers.set(entry.id, catalogProvider(entry, forceH1, keyOf));
      sources.set(entry.id, path);
    }
  }
  const routes = catalogs
    .flatMap((catalog) => catalog.routes)
    .flatMap(({ glob, provider: id }) => {
      const provider = providers.get(id);
      return provider === undefined ? [] : [{ glob, matches: compileGlob(glob), provider }];
    });
  return {
    providers,
    sources,
    routes,
    ignored: texts.flatMap(({ found }) => (found.state === 'ignored' ? found.why : [])),
  };
}
