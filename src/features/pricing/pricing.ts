/**
 * What tokens cost at list prices, and what was saved by not asking Anthropic. Sums are whole nano-dollars, so that
 * they are exact in any order. A model without a price is unpriced: its tokens are told apart, and never count as free.
 */
import { compileGlob, type Matcher } from '../../protocol/glob.ts';
import type { Cost, TokenKind, Use } from '../../protocol/money.ts';
import type { Tokens } from '../../protocol/usage-event.ts';
import type { PriceEntry } from './price-file.ts';

export interface Pricing {
  costOf(use: Use): Cost;
  /**
   * What the same tokens would have cost at Anthropic, less what they cost where they went, in nano-dollars. Null on
   * the Anthropic lane, and where either is not priced. Models count differently: it is an estimate.
   */
  savedBy(use: Use): bigint | null;
  /** As `Prices` has them. */
  readonly changes: readonly number[];
}

export const NO_COST: Cost = { nanoUsd: 0n, unpricedTokens: 0, unpricedKinds: [], atLeast: false };

/** @param operators goes before ours wherever it has a price for the model that answered or the one that was asked for */
export function createPricing(ours: readonly PriceEntry[], operators: readonly PriceEntry[] = []): Pricing {
  const [ourRule, theirRule] = [createRulebook(ours), createRulebook(operators)];

  // An operator may go by the name that the client asks for, and means it: their list is gone through for both names
  // first. In ours what answered is what is billed, and where we don't know it, its price is not that of another.
  const ruleOf = ({ lane, model, servedModel, at }: Omit<Use, 'tokens' | 'uncounted'>): Rule | undefined =>
    theirRule(lane, servedModel, at) ?? theirRule(lane, model, at) ?? ourRule(lane, servedModel ?? model, at);

  const costOf = (use: Use): Cost => priced(ruleOf(use), use.tokens);

  const days = [...ours, ...operators].map(({ valid_from }) => Date.parse(valid_from));
  return {
    changes: [...new Set(days)].toSorted((one, other) => one - other),
    costOf,
    savedBy(use) {
      if (use.lane === 'anthropic') return null;
      const there = costOf(use);
      const here = priced(ruleOf({ lane: 'anthropic', model: use.model, at: use.at }), use.tokens);
      if (there.unpricedTokens > 0 || here.unpricedTokens > 0) return null;
      return here.nanoUsd - there.nanoUsd;
    },
  };
}

export function addCosts(one: Cost, other: Cost): Cost {
  return {
    nanoUsd: one.nanoUsd + other.nanoUsd,
    unpricedTokens: one.unpricedTokens + other.unpricedTokens,
    unpricedKinds: unionOf(one.unpricedKinds, other.unpricedKinds),
    atLeast: one.atLeast || other.atLeast,
  };
}

/** Mostly there is nothing to join, and this is asked at every row of a report. */
const unionOf = (one: readonly TokenKind[], other: readonly TokenKind[]): readonly TokenKind[] =>
  other.every((kind) => one.includes(kind))
    ? one
    : KINDS.filter((kind) => one.includes(kind) || other.includes(kind));

/** The nearest number of dollars: exact to the nano-dollar up to nine million of them. */
export const toUsd = (nanoUsd: bigint): number => Number(nanoUsd) / 1e9;

/** Names come from clients, who may invent them. */
const MAX_REMEMBERED = 1000;

interface Rule {
  readonly lane: string;
  readonly matches: Matcher;
  /** Literal characters of the glob. */
  readonly literal: number;
  /** Epoch milliseconds. */
  readonly validFrom: number;
  /** Nano-dollars for one token. */
  readonly perToken: Readonly<Partial<Record<TokenKind, bigint>>>;
  readonly atLeast: boolean;
}

type Rulebook = (lane: string, model: string | null | undefined, at: number) => Rule | undefined;

/** How a list is asked for the rule of a model at a time; of no model there is none. */
function createRulebook(list: readonly PriceEntry[]): Rulebook {
  const compiled = list.flatMap(compile).toSorted(byRank);
  /** An operator has a handful of models; the same price is asked for at every row of a report. */
  const found = new Map<string, readonly Rule[]>();

  /** The rules of a model, best first. */
  function rulesFor(lane: string, model: string): readonly Rule[] {
    const key = `${lane}\n${model}`;
    const known = found.get(key);
    if (known !== undefined) return known;
    const rules = compiled.filter((rule) => rule.lane === lane && rule.matches(model));
    if (found.size >= MAX_REMEMBERED) found.clear();
    found.set(key, rules);
    return rules;
  }

  return (lane, model, at) =>
    model === null || model === undefined
      ? undefined
      : rulesFor(lane, model).find(({ validFrom }) => validFrom <= at);
}

function compile({ lane, models, valid_from, usd_per_mtok, at_least }: PriceEntry): Rule[] {
  const perToken: Rule['perToken'] = Object.fromEntries(
    Object.entries(usd_per_mtok).map(([kind, usd = 0]) => [kind, BigInt(Math.round(usd * 1000))]),
  );
  return models.map((glob) => ({
    lane,
    matches: compileGlob(glob),
    literal: glob.replaceAll('*', '').length,
    validFrom: Date.parse(valid_from),
    perToken,
    atLeast: at_least === true,
  }));
}

/** The glob that says most goes first, and of one glob the latest price. */
const byRank = (one: Rule, other: Rule): number =>
  other.literal - one.literal || other.validFrom - one.validFrom;

function priced(rule: Rule | undefined, tokens: Tokens): Cost {
  let nanoUsd = 0n;
  let unpricedTokens = 0;
  const unpricedKinds: TokenKind[] = [];
  for (const kind of KINDS) {
    const price = rule?.perToken[kind];
    if (price !== undefined) nanoUsd += price * BigInt(tokens[kind]);
    else if (tokens[kind] > 0) {
      unpricedTokens += tokens[kind];
      unpricedKinds.push(kind);
    }
  }
  return { nanoUsd, unpricedTokens, unpricedKinds, atLeast: rule?.atLeast === true };
}

const KINDS = ['input', 'output', 'cache_read', 'cache_write_5m', 'cache_write_1h'] as const;
