import type { CompletionEvent, Tokens } from '../../protocol/usage-event.ts';
import type { Check, Violation } from '../check.ts';
import { sampleOf } from '../kept-sample.ts';
import { hasFailed, sumTokens } from '../recount.ts';
import { readUsageAnswer, type ToldTotals } from '../usage-answer.ts';
import { completionsOf, lastMeter } from './store.ts';

const WHERE = ['/v1/usage', 'usage.jsonl'] as const;

const totals: Check = {
  id: 'USAGE-01',
  title: '/v1/usage equals the log by lane and by model, and calls nothing free that has no price',
  // A lane and a model.
  least: 2,
  needs: ['proxy'],
  judge(evidence) {
    const { store } = evidence;
    if (store.kind === 'none') return { observed: 0, violations: [], skipped: store.why };
    if (evidence.lives.length === 0) return { observed: 0, violations: [] };
    const usage = readUsageAnswer(lastMeter(evidence)?.usage);
    if (usage === null) {
      const what = '/v1/usage does not tell of lanes and models';
      return { observed: 0, violations: [{ what, pointers: WHERE }] };
    }
    const completions = completionsOf(evidence);
    const byLane = Map.groupBy(completions, ({ lane }) => lane);
    const byModel = Map.groupBy(completions, ({ lane, model }) => `${model ?? UNNAMED} ${lane}`);
    return {
      observed: usage.lanes.size + usage.models.size,
      violations: [...unequal(usage.lanes, byLane), ...unequal(usage.models, byModel)],
    };
  },
};

/** Under this name stands what names no model. */
const UNNAMED = '(none)';

function unequal(
  told: ReadonlyMap<string, ToldTotals>,
  logged: ReadonlyMap<string, readonly CompletionEvent[]>,
): Violation[] {
  const names = new Set([...told.keys(), ...logged.keys()]);
  return [...names].flatMap((name) => {
    const bill = told.get(name);
    const group = logged.get(name) ?? [];
    if (bill === undefined) return [{ what: `/v1/usage does not tell of ${name}`, pointers: WHERE }];
    return [...miscounted(bill, group), ...madeFree(bill)];
  });
}

function miscounted(bill: ToldTotals, group: readonly CompletionEvent[]): Violation[] {
  const samples = group.map(sampleOf);
  const figures: [name: string, log: number, told: unknown][] = [
    ['requests', samples.length, bill.requests],
    ['errors', samples.filter(hasFailed).length, bill.errors],
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

/** What it cost is a sum of money, or else so many tokens have no price. */
function madeFree({ where, tokens, costUsd, unpricedTokens }: ToldTotals): Violation[] {
  const kinds: readonly (keyof Tokens)[] = [
    'input',
    'output',
    'cache_read',
    'cache_write_5m',
    'cache_write_1h',
  ];
  const used = kinds.some((kind) => Number(tokens[kind]) > 0);
  const isPriced = costUsd !== null && costUsd > 0;
  const isUnpriced = unpricedTokens !== null && unpricedTokens > 0;
  if (!used || isPriced || isUnpriced) return [];
  const saw = { '/v1/usage': `cost_usd ${costUsd}, unpriced_tokens ${unpricedTokens}` };
  return [
    {
      what: `${where} used tokens that cost nothing`,
      expected: 'a price, or none known',
      saw,
      pointers: WHERE,
    },
  ];
}

export const USAGE_CHECKS: readonly Check[] = [totals];
