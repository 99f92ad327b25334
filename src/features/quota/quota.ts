/**
 * The quota feature: counts exchanges against budgets, says whether a lane is open for one more, and learns from the
 * limits that upstreams really have.
 */
import type { ExchangeObserver, Gate } from '../../core/types.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { PlacedFile } from '../../platform/placed-file.ts';
import { watchFiles } from '../../platform/watch-files.ts';
import { isCharged } from '../../protocol/charged.ts';
import type { Cooldown, MeterStore } from '../../protocol/meter.ts';
import type { ProviderLimits, QuotaFill, QuotaView } from '../../protocol/quota-view.ts';
import { OPEN, type Standing } from '../../protocol/standing.ts';
import { MAX_MODEL_LENGTH } from '../../protocol/usage-event.ts';
import { type Budget, createBudget } from './budget.ts';
import { useOf } from './charge.ts';
import { createEpisodes } from './episodes.ts';
import { forgottenOnRestart } from './forgotten.ts';
import { idleOf, idleQuotas, type OpenLane, type Surroundings } from './idle-quotas.ts';
import { type CooldownChoice, createLimitHits } from './limit-hits.ts';
import { type LoadedQuotas, loadQuotas } from './load-quotas.ts';
import { createMatch } from './match.ts';
import { parseQuotas, type QuotaDefinition } from './parse-quotas.ts';
import { createRefill } from './refill.ts';
import { createRetry } from './retry.ts';
import { createRoom } from './room.ts';
import { createSeenModels } from './seen-models.ts';

export const REROUTE_MODES = ['off', 'block', 'hybrid'] as const;
/** `off`: count only. `block`: stop at our own caps. `hybrid`: run into the upstream's, and then go elsewhere. */
export type RerouteMode = (typeof REROUTE_MODES)[number];

export interface QuotaOptions {
  /** In order of precedence; the first that counts is the only one. */
  readonly files: readonly PlacedFile[];
  /** Files besides those whose change may change which one counts. */
  readonly alsoWatch: readonly string[];
  readonly mode: RerouteMode;
  readonly store: MeterStore;
  /** How many days the store keeps exchanges; null where it keeps none. */
  readonly keptDays: number | null;
  /** The lanes that there are now: a quota that none of them serves is told of. */
  readonly lanes: () => readonly OpenLane[];
  /** Models that there are, and how a slip in a name is found: for those that count nothing, too. */
  readonly known: Pick<Surroundings, 'knownModels' | 'nearestName'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds between two looks at the files; a second unless a test is in a hurry. */
  readonly lookEveryMs?: number;
}

export interface Quota extends ExchangeObserver, AsyncDisposable {
  readonly mode: RerouteMode;
  readonly gate: Gate;
  /** The file whose quotas count; null where there is none, or where they were sent to `reload`. */
  readonly file: string | null;
  /** When they were taken over, epoch milliseconds. */
  readonly since: number;
  /** That what the files say now was refused, so that the quotas before stay; null where it was not. */
  readonly refused: RefusedFile | null;
  /** Every quota as it stands, in the order of the file. */
  views(): readonly QuotaView[];
  /** How full each is, for who asks often: no more than a look at sums. */
  fills(): readonly QuotaFill[];
  /** Lanes that are left alone now, also for models that no quota names. */
  cooldowns(): readonly Cooldown[];
  /** Ends the cooldowns of a lane, or of one key of it, or all; gives them. */
  endCooldowns(which: CooldownChoice): readonly Cooldown[];
  /** What upstreams last said of their own limits, a lane each. */
  providerLimits(): readonly ProviderLimits[];
  /**
   * What an operator should know, a sentence each: that the file as it is now was refused, which of them count nothing
   * new, or cannot do what they should, and what is forgotten after a restart.
   */
  warnings(): readonly string[];
  /** Whether the windows still lack what the store has. */
  rebuilding(): boolean;
  /** Why the store cannot tell what they lack, and what to do, in sentences; null while it can. */
  rebuildTrouble(): string | null;
  /** Takes from the store what earlier processes knew. Resolves when windows and cooldowns hold, or after `PATIENCE_MS`. */
  load(): Promise<void>;
  /** Counts the windows anew from the store, which has more now. No budget becomes emptier by it. */
  recount(): void;
  /**
   * Reads the files again and counts anew, or takes those of `sent` in their place until what they say changes. A bad one
   * changes nothing.
   */
  reload(sent?: Uint8Array): Reloaded;
}

export type Reloaded =
  | { readonly ok: true; readonly file: string | null; readonly quotas: number }
  /** `why` is a sentence naming the place. */
  | { readonly ok: false; readonly why: string };

export interface RefusedFile {
  /** Epoch milliseconds. */
  readonly since: number;
  /** A sentence naming the place. */
  readonly why: string;
}

/** How long a start waits for what the store has, milliseconds; what takes longer fills up behind it. */
const PATIENCE_MS = 1_000;

const WARN: Standing = { kind: 'warn' };
const COOLDOWN: Standing = { kind: 'cooldown' };
/** What quotas that were sent are called in errors. */
const SENT = 'the quotas sent';

/** Reads the quotas and follows their file. Throws `CONFIG` where they can't be used at the start. */
export function createQuota(options: QuotaOptions): Quota {
  const { files, mode, store, clock, log } = options;
  const retry = createRetry(clock);
  const limits = createLimitHits({ coolsDown: mode === 'hybrid', store, retry, clock, log });
  const episodes = createEpisodes({ holdsBack: mode === 'block', clock, log });
  const seen = createSeenModels();
  let loaded = false;

  let { file, definitions, ignored } = loadQuotas(files);
  let since = clock.now();
  let refused: RefusedFile | null = null;
  /** What the files said last; quotas that were sent stand in place of that. */
  let inFiles = contentOf({ file, definitions });
  for (const why of ignored) log.warn(why);
  let budgets: readonly Budget[] = definitions.map((definition) => createBudget(definition));
  let chargedTo = createMatch(budgets);
  const room = createRoom((lane, model) => chargedTo(lane, model));

  const stopWatching = watchFiles(
    [...files.map(({ path }) => path), ...options.alsoWatch],
    () => {
      const result = follow();
      if (!result.ok) log.error(refusal(result.why));
    },
    options.lookEveryMs,
  );

  const gate: Gate = (lane, { op, model: asked }) => {
    if (mode === 'off' || asked === null || !isCharged(op)) return OPEN;
    const model = asked.slice(0, MAX_MODEL_LENGTH);
    const mine = chargedTo(lane, model);
    if (mode === 'hybrid') {
      const now = clock.now();
      if (limits.coolingUntil(lane, keysOf(mine, model), now) !== null) return COOLDOWN;
      return mine.some((budget) => budget.held(now) >= budget.definition.warnPct) ? WARN : OPEN;
    }
    if (mine.length === 0) return OPEN;
    const now = clock.now();
    const full = mine.filter((budget) => isFull(budget, now));
    return full.length === 0 ? OPEN : { kind: 'block', opening: () => lastOpening(full, now) };
  };

  /** What is under way takes its room in those that count now. */
  const install = (next: readonly Budget[]): void => {
    budgets = next;
    chargedTo = createMatch(budgets);
    room.move();
    episodes.replace(budgets);
  };

  const refill = createRefill({
    store,
    retry,
    clock,
    log,
    budgets: () => budgets,
    install,
    onUse: ({ lane, model }) => seen.saw(lane, model),
    onFilled: () => episodes.look(budgets),
  });

  /** What is not loaded yet will find all that there is. */
  const recount = (): void => {
    if (loaded) refill.recount();
  };

  const around = (): Surroundings => ({
    ...options.known,
    lanes: options.lanes(),
    seenOn: (lane) => seen.of(lane),
  });
  /** What is doubtful about those that count. */
  const doubts = (): readonly string[] => {
    const source = file === null ? SENT : refused === null ? file : `the earlier ${file}`;
    return [
      ...idleQuotas(definitions, source, around()),
      ...forgottenOnRestart(definitions, source, options.keptDays),
    ];
  };
  const tellDoubts = (): void => {
    for (const doubt of doubts()) log.warn(doubt);
  };

  const takeOver = (next: LoadedQuotas): void => {
    ({ file, definitions, ignored } = next);
    since = clock.now();
    const before = budgets;
    const empty: Budget[] = [];
    install(
      definitions.map((definition) => {
        const kept = before.find((budget) => countsTheSame(budget.definition, definition));
        const budget = createBudget(definition, kept?.count);
        if (kept === undefined) empty.push(budget);
        return budget;
      }),
    );
    for (const why of ignored) log.warn(why);
    if (!loaded) return;
    tellDoubts();
    void refill.load(empty);
  };

  /** Takes what `read` gives, unless it throws; `source` is where it comes from where that is no file. */
  const take = (read: () => LoadedQuotas, source: string): Reloaded => {
    const before = contentOf({ file, definitions });
    try {
      takeOver(read());
    } catch (error) {
      return { ok: false, why: messageOf(error) };
    }
    if (contentOf({ file, definitions }) !== before) {
      log.info(`quotas taken over: ${budgets.length} from ${file ?? source}`);
    }
    return { ok: true, file, quotas: budgets.length };
  };

  /** Told once on standard error, and wherever somebody looks until the files are read without a mistake. */
  const noted = (result: Reloaded): Reloaded => {
    refused = result.ok ? null : { since: refused?.since ?? clock.now(), why: result.why };
    return result;
  };

  const takeFromFiles = (): Reloaded =>
    noted(
      take(() => {
        const next = loadQuotas(files);
        inFiles = contentOf(next);
        return next;
      }, 'no file'),
    );

  /** That of the files stays refused, if it was. */
  const takeSent = (sent: Uint8Array): Reloaded =>
    take(() => ({ file: null, definitions: parseQuotas(SENT, sent), ignored: [] }), 'a command');

  /** What is watched changes for other reasons, too, which must not replace quotas that were sent. */
  const follow = (): Reloaded => {
    try {
      if (contentOf(loadQuotas(files)) === inFiles) return noted({ ok: true, file, quotas: budgets.length });
    } catch (error) {
      return noted({ ok: false, why: messageOf(error) });
    }
    return takeFromFiles();
  };

  return {
    mode,
    gate,
    get file() {
      return file;
    },
    get since() {
      return since;
    },
    get refused() {
      return refused;
    },
    views() {
      const now = clock.now();
      const held = around();
      return budgets.map((budget) => {
        const { lane, model } = budget.definition;
        return {
          ...budget.view(now),
          idle: idleOf(budget.definition, held),
          ...limits.calibration(lane, model),
          cooldown_until: limits.coolingUntil(lane, [model], now),
          provider_limits: limits.providerLimits.of(lane),
        };
      });
    },
    fills() {
      const now = clock.now();
      return budgets.map((budget) => {
        const { lane, model, warnPct } = budget.definition;
        const { rolling, weekly } = budget.full(now);
        const warns = budget.held(now) >= warnPct;
        return {
          lane,
          model,
          rolling_pct: rolling,
          weekly_pct: weekly,
          warns,
          blocks: mode === 'block' && isFull(budget, now),
        };
      });
    },
    cooldowns: () => limits.cooldowns(clock.now()),
    endCooldowns: (which) => limits.endCooldowns(which),
    providerLimits: () => limits.providerLimits.all(),
    warnings: () => [...(refused === null ? [] : [refusal(refused.why)]), ...doubts()],
    rebuilding: () => refill.isFilling(),
    rebuildTrouble: () => refill.trouble(),
    async load() {
      loaded = true;
      tellDoubts();
      const filled = Promise.all([refill.load(budgets), limits.load()]);
      await Promise.race([filled, new Promise<void>((resolve) => void clock.after(PATIENCE_MS, resolve))]);
    },
    recount,
    reload(sent) {
      if (sent !== undefined) return takeSent(sent);
      const taken = takeFromFiles();
      if (taken.ok) recount();
      return taken;
    },
    onPlan: (attempt) => room.take(attempt),
    onAttempt: (attempt) => room.take(attempt),
    onAnswer: ({ lane, headers }) => limits.providerLimits.stated(lane, clock.now(), headers),
    onLimit(limit) {
      const { lane, model, op } = limit;
      if (model === null || !isCharged(op)) return;
      const mine = chargedTo(lane, model);
      const [key = model] = keysOf(mine, model);
      limits.hit(limit, key, mine[0]);
    },
    onCompletion(event) {
      const { rid, lane, model } = event;
      room.release(rid);
      const mine = chargedTo(lane, model);
      const use = useOf(event);
      if (use === null) return;
      seen.saw(lane, model);
      if (mine.length === 0) return;
      for (const budget of mine) budget.add(use);
      refill.sawLive({ rid, lane, model, use });
      episodes.look(mine);
    },
    async [Symbol.asyncDispose]() {
      retry[Symbol.dispose]();
      episodes[Symbol.dispose]();
      stopWatching();
    },
  };
}

/** What limits of a lane and a model are kept under: the globs of its quotas, the first in front, else the model. */
const keysOf = (mine: readonly Budget[], model: string): readonly string[] =>
  mine.length === 0 ? [model] : mine.map(({ definition }) => definition.model);

/** Whether it has no room for one more, with what is under way. */
const isFull = (budget: Budget, now: number): boolean => budget.held(now) >= budget.definition.blockPct;

/** There is room when the last of them has some. */
const lastOpening = (full: readonly Budget[], now: number) =>
  full.map((budget) => budget.opening(now)).reduce((a, b) => (b.inMs > a.inMs ? b : a));

/** Whether what one has counted serves the other. */
const countsTheSame = (a: QuotaDefinition, b: QuotaDefinition): boolean =>
  a.lane === b.lane && a.model === b.model && a.countCacheReads === b.countCacheReads;

/** What of quotas is worth a word when it changes. */
const contentOf = ({ file, definitions }: Pick<LoadedQuotas, 'file' | 'definitions'>): string =>
  JSON.stringify({ file, definitions });

const refusal = (why: string): string => `quotas not taken over, the ones before stay: ${why}`;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
