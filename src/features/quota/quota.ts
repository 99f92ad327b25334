/**
 * The quota feature: counts exchanges against budgets, says whether a lane is open for one more, and learns from the
 * limits that upstreams really have.
 */
import type { ExchangeObserver, Gate } from '../../core/types.ts';
import { isCharged } from '../../protocol/charged.ts';
import type { Cooldown, MeterStore } from '../../protocol/meter.ts';
import type { ProviderLimits, QuotaFill, QuotaView } from '../../protocol/quota-view.ts';
import { OPEN, type Standing } from '../../protocol/standing.ts';
import { MAX_MODEL_LENGTH } from '../../protocol/usage-event.ts';
import { type Budget, createBudget } from './budget.ts';
import { useOf } from './charge.ts';
import {
  type CurrentQuotas,
  type CurrentQuotasOptions,
  createCurrentQuotas,
  type Reloaded,
} from './current-quotas.ts';
import { createEpisodes } from './episodes.ts';
import { idleOf, type OpenLane, type Surroundings } from './idle-quotas.ts';
import { type CooldownChoice, createLimitHits } from './limit-hits.ts';
import { createMatch } from './match.ts';
import type { QuotaDefinition } from './parse-quotas.ts';
import { createRefill } from './refill.ts';
import { createRetry } from './retry.ts';
import { createRoom } from './room.ts';
import { createSeenModels } from './seen-models.ts';

export const REROUTE_MODES = ['off', 'block', 'hybrid'] as const;
/** `off`: count only. `block`: stop at our own caps. `hybrid`: run into the upstream's, and then go elsewhere. */
export type RerouteMode = (typeof REROUTE_MODES)[number];

export interface QuotaOptions extends Omit<CurrentQuotasOptions, 'around' | 'onTaken'> {
  readonly mode: RerouteMode;
  readonly store: MeterStore;
  /** The lanes that there are now: a quota that none of them serves is told of. */
  readonly lanes: () => readonly OpenLane[];
  /** Models that there are, and how a slip in a name is found: for those that count nothing, too. */
  readonly known: Pick<Surroundings, 'knownModels' | 'nearestName'>;
}

export interface Quota
  extends ExchangeObserver,
    AsyncDisposable,
    Pick<CurrentQuotas, 'file' | 'since' | 'refused' | 'warnings'> {
  readonly mode: RerouteMode;
  readonly gate: Gate;
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
  /** Whether the windows still lack what the store has. */
  rebuilding(): boolean;
  /** Why the store cannot tell what they lack, and what to do, in sentences; null while it can. */
  rebuildTrouble(): string | null;
  /** Takes from the store what earlier processes knew. Resolves when windows and cooldowns hold, or after `PATIENCE_MS`. */
  load(): Promise<void>;
  /** Counts the windows anew from the store, which has more now. No budget becomes emptier by it. */
  recount(): void;
  /** Reads the files again and counts anew, or takes those of `sent`, as `CurrentQuotas` does. */
  reload(sent?: Uint8Array): Reloaded;
}

/** How long a start waits for what the store has, milliseconds; what takes longer fills up behind it. */
const PATIENCE_MS = 1_000;

const WARN: Standing = { kind: 'warn' };
const COOLDOWN: Standing = { kind: 'cooldown' };

/** Reads the quotas and follows their file. Throws `CONFIG` where they can't be used at the start. */
export function createQuota(options: QuotaOptions): Quota {
  const { mode, store, clock, log } = options;
  const retry = createRetry(clock, log);
  const limits = createLimitHits({ coolsDown: mode === 'hybrid', store, retry, clock, log });
  const episodes = createEpisodes({ holdsBack: mode === 'block', clock, log });
  const seen = createSeenModels();
  let loaded = false;

  const around = (): Surroundings => ({
    ...options.known,
    lanes: options.lanes(),
    seenOn: (lane) => seen.of(lane),
  });
  const current = createCurrentQuotas({ ...options, around, onTaken: () => takeOver() });

  let budgets: readonly Budget[] = current.definitions.map((definition) => createBudget(definition));
  let chargedTo = createMatch(budgets);
  const room = createRoom((lane, model) => chargedTo(lane, model));

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

  /** Budgets of what holds now, with what those before counted; those that are new are filled. */
  const takeOver = (): void => {
    const before = budgets;
    const empty: Budget[] = [];
    install(
      current.definitions.map((definition) => {
        const kept = before.find((budget) => countsTheSame(budget.definition, definition));
        const budget = createBudget(definition, kept?.count);
        if (kept === undefined) empty.push(budget);
        return budget;
      }),
    );
    if (!loaded) return;
    current.tellDoubts();
    void refill.load(empty);
  };

  return {
    mode,
    gate,
    get file() {
      return current.file;
    },
    get since() {
      return current.since;
    },
    get refused() {
      return current.refused;
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
    warnings: () => current.warnings(),
    rebuilding: () => refill.isFilling(),
    rebuildTrouble: () => refill.trouble(),
    async load() {
      loaded = true;
      current.tellDoubts();
      const filled = Promise.all([refill.load(budgets), limits.load()]);
      await Promise.race([filled, new Promise<void>((resolve) => void clock.after(PATIENCE_MS, resolve))]);
    },
    recount,
    reload(sent) {
      const taken = current.reload(sent);
      if (taken.ok && sent === undefined) recount();
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
      current[Symbol.dispose]();
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
