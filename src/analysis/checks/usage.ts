import type { CompletionEvent, Tokens } from '../../protocol/usage-event.ts';
import type { Check, Violation } from '../check.ts';
import type { Evidence } from '../evidence.ts';
import { sampleOf } from '../kept-sample.ts';
import { hasFailed, isUncounted, sumTokens } from '../recount.ts';
import { readUsageAnswer, type ToldModel, type ToldTotals } from '../usage-answer.ts';
import { completionsOf, lastMeter } from './store.ts';

const WHERE = ['/v1/usage', 'usage.jsonl'] as const;

const totals: Check = {
  id: 'USAGE-01',
  title: '/v1/usage equals the log in total, by lane and by model, adds up, and calls nothing free',
  // The total, a lane, and a model on it.
  least: 4,
  needs: ['proxy'],
  judge(evidence) {
    const { store } = evidence;
    if (store.kind === 'none') return { observed: 0, violations: [], skipped: store.why };
    if (evidence.lives.length === 0) return { observed: 0, violations: [] };
    const usage = readUsageAnswer(lastMeter(evidence)?.usage);
    if (usage === null) {
      const what = '/v1/usage does not tell of a total, of lanes and models';
      return { observed: 0, violations: [{ what, pointers: WHERE }] };
    }
    const completions = completionsOf(evidence);
    const bills = [...usage.models.values()].flatMap((model) => [model.total, ...model.lanes.values()]);
    return {
      observed: 1 + usage.lanes.size + bills.length,
      violations: [
        ...unequal(usage.total, completions, usage.lanes),
        ...unequalLanes(usage.lanes, completions, '/v1/usage'),
        ...unequalModels(usage.models, completions),
        ...wrongFill(usage.models, evidence),
      ],
    };
  },
};

/** Under this name stands what names no model. */
const UNNAMED = '(none)';

type Completions = readonly CompletionEvent[];

function unequalModels(told: ReadonlyMap<string, ToldModel>, completions: Completions): Violation[] {
  return overNames(told, completions, ({ model }) => model ?? UNNAMED).flatMap(([name, model, group]) =>
    model === undefined
      ? [untold(name, '/v1/usage')]
      : [...unequal(model.total, group, model.lanes), ...unequalLanes(model.lanes, group, `models.${name}`)],
  );
}

function unequalLanes(
  told: ReadonlyMap<string, ToldTotals>,
  completions: Completions,
  where: string,
): Violation[] {
  return overNames(told, completions, ({ lane }) => lane).flatMap(([name, bill, group]) =>
    bill === undefined ? [untold(name, where)] : unequal(bill, group),
  );
}

/** Each name that is told of or in the log, with both accounts of it. */
function overNames<T>(
  told: ReadonlyMap<string, T>,
  completions: Completions,
  nameOf: (completion: CompletionEvent) => string,
): [name: string, told: T | undefined, logged: Completions][] {
  const logged = Map.groupBy(completions, nameOf);
  const names = new Set([...told.keys(), ...logged.keys()]);
  return [...names].map((name) => [name, told.get(name), logged.get(name) ?? []]);
}

const untold = (name: string, where: string): Violation => ({
  what: `${where} does not tell of ${name}`,
  pointers: WHERE,
});

/** `parts` are the bills that this one is the sum of. */
function unequal(bill: ToldTotals, group: Completions, parts?: ReadonlyMap<string, ToldTotals>): Violation[] {
  return [
    ...miscounted(bill, group),
    ...madeFree(bill),
    ...(parts === undefined ? [] : notAddingUp(bill, [...parts.values()])),
  ];
}

function miscounted(bill: ToldTotals, group: readonly CompletionEvent[]): Violation[] {
  const samples = group.map(sampleOf);
  const figures: [name: string, log: number, told: unknown][] = [
    ['requests', samples.length, bill.requests],
    ['errors', samples.filter(hasFailed).length, bill.errors],
    ['uncounted', samples.filter(isUncounted).length, bill.uncounted],
    ...Object.entries(sumTokens(samples)).map(([kind, count]): [string, number, unknown] => [
      `tokens.${kind}`,
      count,
      bill.tokens[kind],
    ]),
  ];
  return figures
    .filter(([, log, told]) => log !== told)
    .map(([name, log, told]) => ({
      what: `${bill.where}.${name} is not what the log says`,
      expected: String(log),
      saw: { '/v1/usage': String(told) },
      pointers: WHERE,
    }));
}

/**
 * What it cost is a sum of money, or else so many tokens have no price. Where none of them has, or nothing was counted but
 * that something was used, there is no sum: a zero would call it free.
 */
function madeFree({ where, tokens, costUsd, unpricedTokens, uncounted }: ToldTotals): Violation[] {
  const kinds: readonly (keyof Tokens)[] = [
    'input',
    'output',
    'cache_read',
    'cache_write_5m',
    'cache_write_1h',
  ];
  const used = kinds.reduce((sum, kind) => sum + Number(tokens[kind] ?? 0), 0);
  const isPriced = costUsd !== null && costUsd > 0;
  const isUnpriced =
    unpricedTokens !== null && unpricedTokens > 0 && (unpricedTokens < used || costUsd === null);
  const isUnknown = uncounted !== null && uncounted > 0;
  const isSaid = used > 0 ? isPriced || isUnpriced : !isUnknown || costUsd === null;
  if (isSaid) return [];
  const saw = {
    '/v1/usage': `cost_usd ${costUsd}, unpriced_tokens ${unpricedTokens}, uncounted ${uncounted}`,
  };
  return [
    {
      what: `${where} used tokens that cost nothing`,
      expected: 'a price, or none known',
      saw,
      pointers: WHERE,
    },
  ];
}

/** Dollars are told as fractions, whose sum depends on their order. */
const ROUNDING_USD = 1e-6;

/** Money has no second witness; but a sum is what its parts are. */
function notAddingUp(bill: ToldTotals, parts: readonly ToldTotals[]): Violation[] {
  const sum = (figure: 'costUsd' | 'unpricedTokens'): number =>
    parts.reduce((total, part) => total + (part[figure] ?? 0), 0);
  const figures = [
    ['cost_usd', sum('costUsd'), bill.costUsd, ROUNDING_USD],
    ['unpriced_tokens', sum('unpricedTokens'), bill.unpricedTokens, 0],
  ] as const;
  return figures
    .filter(([, expected, told, slack]) => Math.abs(expected - (told ?? 0)) > slack)
    .map(([name, expected, told]) => ({
      what: `${bill.where}.${name} is not the sum of its lanes`,
      expected: String(expected),
      saw: { '/v1/usage': String(told) },
      pointers: WHERE,
    }));
}

const ROUNDING_PCT = 1e-6;

/** How full a model's quota is called: as the log says where the run gave it a budget, and not at all elsewhere. */
function wrongFill(models: ReadonlyMap<string, ToldModel>, evidence: Evidence): Violation[] {
  const quota = evidence.lives.at(-1)?.quota ?? null;
  // What was never sent took nothing of it.
  const used = completionsOf(evidence).filter(
    ({ lane, model, op, attempts }) =>
      (op === 'stream' || op === 'nonstream') &&
      quota !== null &&
      lane === quota.lane &&
      model?.includes(quota.model) &&
      attempts.length > 0,
  );
  return [...models].flatMap(([name, { total, rollingPct, weeklyPct }]) => {
    const expected =
      quota !== null && name.includes(quota.model) ? (100 * used.length) / quota.requests : null;
    const figures: [name: string, expected: number | null, told: unknown][] = [
      ['rolling_pct', expected, rollingPct],
      ['weekly_pct', null, weeklyPct],
    ];
    return figures
      .filter(([, wanted, told]) => !isAsFull(wanted, told))
      .map(([figure, wanted, told]) => ({
        what: `${total.where}.${figure} is not what the budget of the run is used by`,
        expected: String(wanted),
        saw: { '/v1/usage': String(told) },
        pointers: WHERE,
      }));
  });
}

const isAsFull = (expected: number | null, told: unknown): boolean =>
  expected === null || typeof told !== 'number'
    ? expected === told
    : Math.abs(expected - told) <= ROUNDING_PCT;

export const USAGE_CHECKS: readonly Check[] = [totals];
