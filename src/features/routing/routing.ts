/** The routing feature: keeps the snapshot that decisions are made from, and replaces it when something changes. */
import type { Provider, Route, Router } from '../../core/types.ts';
import type { Log } from '../../platform/log.ts';
import { watchFiles } from '../../platform/watch-files.ts';
import type { HeaderMode } from '../../protocol/usage-event.ts';
import type { CatalogFile } from './catalog-file.ts';
import { decide, routedByCatalog, type Snapshot } from './decide.ts';
import { describeProviders, type ProviderRow } from './describe.ts';
import { type LoadedCatalogs, loadCatalogs } from './load-catalogs.ts';
import { anthProvider, type KeyOf, zaiProvider } from './providers.ts';

export interface RoutingOptions {
  readonly anthropicBaseUrl: string;
  readonly zaiBaseUrl: string;
  readonly zaiHeaderMode: HeaderMode;
  readonly forceHaikuToZai: boolean;
  /** Offers HTTP/1.1 only, to every provider. */
  readonly forceH1: boolean;
  /** Whether it starts paused. */
  readonly paused: boolean;
  /** In order of precedence. */
  readonly catalogs: readonly CatalogFile[];
  /** Files besides the catalogs whose change may change what a catalog counts for. */
  readonly alsoWatch: readonly string[];
  readonly override: OverrideOptions;
  readonly keyOf: KeyOf;
  /** The features that the licence grants now; the same set until they change. */
  readonly licensed: () => ReadonlySet<string>;
  readonly log: Log;
  /** Milliseconds between two looks at the files; a second unless a test is in a hurry. */
  readonly lookEveryMs?: number;
}

export interface OverrideOptions {
  /** Wins over the file, and never changes. */
  readonly model: string | null;
  readonly path: string;
  /** What the file at `path` names now; null where it is absent or empty. Throws where it can't be read. */
  read(): string | null;
}

export interface Routing extends AsyncDisposable {
  readonly route: Router;
  /** All providers, the built-in ones first. */
  readonly providers: () => readonly Provider[];
  /** What `ccp providers` shows. */
  describe(): readonly ProviderRow[];
  /** The provider that a catalog route gives a model, whatever else holds; undefined where none does. */
  catalogRoute(model: string): Provider | undefined;
  /** The model that every request is routed as; null for its own. */
  override(): string | null;
  pause(on: boolean): void;
  paused(): boolean;
}

/** Distinct models are few; names beyond these bounds are decided anew each time. */
const MEMO_ENTRIES = 1000;
const MEMO_NAME_LENGTH = 200;

/**
 * Reads the catalogs and the model file, and follows their changes; a change that can't be used is logged
 * and leaves everything as it was. Throws `CONFIG` where they can't be used at the start.
 */
export function createRouting(options: RoutingOptions): Routing {
  const { keyOf, log, forceH1, override: overrideOptions, lookEveryMs } = options;
  const anth = anthProvider(options.anthropicBaseUrl, forceH1);
  const zai = zaiProvider({ baseUrl: options.zaiBaseUrl, headerMode: options.zaiHeaderMode, forceH1 }, keyOf);

  const readCatalogs = (): LoadedCatalogs => {
    const loaded = loadCatalogs({ files: options.catalogs, builtIn: [anth, zai], keyOf, forceH1 });
    for (const why of loaded.ignored) log.warn(why);
    return loaded;
  };
  const readOverride = (): string | null => overrideOptions.model ?? overrideOptions.read();

  let catalogs = readCatalogs();
  let snapshot: Snapshot = {
    providers: catalogs.providers,
    routes: catalogs.routes,
    anth,
    zai,
    policyRoutes: [],
    forceHaikuToZai: options.forceHaikuToZai,
    licensed: options.licensed(),
    paused: options.paused,
    override: readOverride(),
  };
  const memo = new Map<string | null, Route>();
  const replace = (part: Partial<Snapshot>): void => {
    snapshot = { ...snapshot, ...part };
    memo.clear();
  };
  /** The licence may have changed without an event: it ends by the clock. */
  const snapshotNow = (): Snapshot => {
    const licensed = options.licensed();
    if (licensed !== snapshot.licensed) replace({ licensed });
    return snapshot;
  };

  const follow = (what: string, paths: readonly string[], take: () => string): (() => void) =>
    watchFiles(
      paths,
      () => {
        try {
          log.info(take());
        } catch (error) {
          log.error(`${what} not taken over, the one before stays: ${messageOf(error)}`);
        }
      },
      lookEveryMs,
    );
  const stopCatalogs = follow(
    'provider catalog',
    [...options.catalogs.map(({ path }) => path), ...options.alsoWatch],
    () => {
      catalogs = readCatalogs();
      replace({ providers: catalogs.providers, routes: catalogs.routes });
      return `provider catalog taken over: ${[...catalogs.providers.keys()].join(', ')}`;
    },
  );
  const stopOverride = follow('model override', [overrideOptions.path], () => {
    const override = readOverride();
    replace({ override });
    return override === null ? 'no model override any more' : `every request is routed as ${override}`;
  });

  return {
    route({ model }) {
      const current = snapshotNow();
      const known = memo.get(model);
      if (known !== undefined) return known;
      const route = decide(model, current);
      if (model === null || model.length <= MEMO_NAME_LENGTH) {
        if (memo.size >= MEMO_ENTRIES) memo.clear();
        memo.set(model, route);
      }
      return route;
    },
    providers: () => [...snapshot.providers.values()],
    describe: () => describeProviders(catalogs, snapshotNow()),
    catalogRoute: (model) => routedByCatalog(model, snapshot),
    override: () => snapshot.override,
    pause(paused) {
      replace({ paused });
      log.info(paused ? 'offload paused: everything goes to Anthropic' : 'offload resumed');
    },
    paused: () => snapshot.paused,
    async [Symbol.asyncDispose]() {
      stopCatalogs();
      stopOverride();
    },
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
