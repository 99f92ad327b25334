/** The routing feature: keeps the snapshot that decisions are made from, and replaces it when something changes. */
import type { Gate, Provider, Router } from '../../core/types.ts';
import type { Log } from '../../platform/log.ts';
import type { PlacedFile } from '../../platform/placed-file.ts';
import { watchFiles } from '../../platform/watch-files.ts';
import { OPEN } from '../../protocol/standing.ts';
import type { HeaderMode } from '../../protocol/usage-event.ts';
import { applyPolicy, baseUrlOf, type PolicyRules, type Wired } from './apply-policy.ts';
import { type Choice, choose, passGates, routedExplicitly, type Snapshot } from './decide.ts';
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
  readonly catalogs: readonly PlacedFile[];
  /** Files besides the catalogs whose change may change what a catalog counts for. */
  readonly alsoWatch: readonly string[];
  readonly override: OverrideOptions;
  readonly keyOf: KeyOf;
  /** The features that the licence grants now; the same set until they change. */
  readonly licensed: () => ReadonlySet<string>;
  /** What budgets and limits say of a lane; without one they say nothing. */
  readonly gate?: Gate;
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
  /** The provider that a route of the catalogs or the policy gives a model; undefined where none does. */
  explicitRoute(model: string): Provider | undefined;
  /** Puts a verified policy pack into effect, in place of the one before; null: none. */
  readonly applyPolicy: (policy: PolicyRules | null) => void;
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
  const { keyOf, log, forceH1, gate, override: overrideOptions, lookEveryMs } = options;
  const anth = anthProvider(options.anthropicBaseUrl, forceH1);
  const zai = zaiProvider({ baseUrl: options.zaiBaseUrl, headerMode: options.zaiHeaderMode, forceH1 }, keyOf);

  const readCatalogs = (): LoadedCatalogs => {
    const loaded = loadCatalogs({ files: options.catalogs, builtIn: [anth, zai], keyOf, forceH1 });
    for (const why of loaded.ignored) log.warn(why);
    return loaded;
  };
  const readOverride = (): string | null => overrideOptions.model ?? overrideOptions.read();

  /** What is watched beside them changes for other files, too. Asked first: what changes meanwhile is read again. */
  let inCatalogs = contentOf(options.catalogs);
  let catalogs = readCatalogs();
  let policy: PolicyRules | null = null;
  let wired = applyPolicy(catalogs, policy);
  let snapshot: Snapshot = {
    ...wiringOf(wired),
    anth,
    zai,
    forceHaikuToZai: options.forceHaikuToZai,
    licensed: options.licensed(),
    paused: options.paused,
    override: readOverride(),
  };
  // Choices only: what a gate says holds for one exchange.
  const memo = new Map<string | null, Choice>();
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

  const choiceFor = (model: string | null): Choice => {
    const current = snapshotNow();
    const known = memo.get(model);
    if (known !== undefined) return known;
    const choice = choose(model, current);
    if (model === null || model.length <= MEMO_NAME_LENGTH) {
      if (memo.size >= MEMO_ENTRIES) memo.clear();
      memo.set(model, choice);
    }
    return choice;
  };

  /** Brings catalogs and policy together; says what the policy changes, each thing once while it lasts. */
  const rewire = (): void => {
    const known = new Set(notices(wired));
    wired = applyPolicy(catalogs, policy);
    replace({ ...wiringOf(wired), zai: wired.providers.get(zai.id) ?? zai });
    for (const notice of notices(wired)) if (!known.has(notice)) log.warn(notice);
  };

  /** `take` says what became of it; null: nothing. */
  const follow = (what: string, paths: readonly string[], take: () => string | null): (() => void) =>
    watchFiles(
      paths,
      () => {
        try {
          const became = take();
          if (became !== null) log.info(became);
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
      const before = inCatalogs;
      inCatalogs = contentOf(options.catalogs);
      if (inCatalogs === before) return null;
      catalogs = readCatalogs();
      rewire();
      return `provider catalog taken over: ${[...catalogs.providers.keys()].join(', ')}`;
    },
  );
  const stopOverride = follow('model override', [overrideOptions.path], () => {
    const override = readOverride();
    replace({ override });
    return override === null ? 'no model override any more' : `every request is routed as ${override}`;
  });

  return {
    route(facts) {
      const choice = choiceFor(facts.model);
      return passGates(choice, gate === undefined ? () => OPEN : ({ lane }) => gate(lane, facts));
    },
    providers: () => [...snapshot.providers.values()],
    describe: () => describeProviders(wired, snapshotNow()),
    explicitRoute: (model) => routedExplicitly(model, snapshot),
    applyPolicy(next) {
      policy = next;
      rewire();
    },
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

/** What the files say and whether they count, to tell whether that changes. */
const contentOf = (files: readonly PlacedFile[]): string =>
  JSON.stringify(
    files.map((file) => {
      const found = file.read();
      return found.state === 'used' ? Buffer.from(found.bytes).toString('base64') : found;
    }),
  );

const wiringOf = ({
  providers,
  routes,
  policyRoutes,
}: Wired): Pick<Snapshot, 'providers' | 'routes' | 'policyRoutes'> => ({
  providers,
  routes,
  policyRoutes,
});

/** What an operator must know of a policy: above all to which other host a key goes now. */
function notices({ providers, movedFrom, skipped }: Wired): string[] {
  const moved = [...movedFrom].flatMap(([id, from]) => {
    const provider = providers.get(id);
    if (provider?.auth.kind !== 'key') return [];
    return `the policy moves provider ${id} from ${from} to ${baseUrlOf(provider)}: ${provider.auth.env} is sent there`;
  });
  return [...moved, ...skipped];
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
