/** What `/v1/usage` says (contract, section 8), under its names; which are read nowhere else. */
import { isJsonObject, type JsonObject } from './json.ts';

/** One line of the bill. What is not there, or of another kind, is null. */
export interface ToldTotals {
  /** `total`, `lanes.zai`, `models.claude-sonnet-5`, `models.claude-sonnet-5.lanes.anthropic`. */
  readonly where: string;
  readonly requests: number | null;
  readonly errors: number | null;
  readonly tokens: JsonObject;
  readonly costUsd: number | null;
  readonly unpricedTokens: number | null;
  /** Requests of whose tokens nothing is known. */
  readonly uncounted: number | null;
}

export interface ToldUsage {
  readonly total: ToldTotals;
  readonly lanes: ReadonlyMap<string, ToldTotals>;
  readonly models: ReadonlyMap<string, ToldModel>;
}

export interface ToldModel {
  readonly total: ToldTotals;
  readonly lanes: ReadonlyMap<string, ToldTotals>;
  /** How full its fullest quota is, per cent; whatever stands there. */
  readonly rollingPct: unknown;
  readonly weeklyPct: unknown;
}

/** Null where it is no such answer. */
export function readUsageAnswer(answer: unknown): ToldUsage | null {
  if (!isJsonObject(answer)) return null;
  const { total, lanes, models } = answer;
  if (!isJsonObject(total) || !isJsonObject(lanes) || !isJsonObject(models)) return null;
  return {
    total: totalsOf(total, 'total'),
    lanes: lanesOf(lanes, 'lanes'),
    models: new Map(entriesOf(models).map(([model, entry]) => [model, modelOf(entry, `models.${model}`)])),
  };
}

function modelOf(entry: JsonObject, where: string): ToldModel {
  return {
    total: totalsOf(entry, where),
    lanes: lanesOf(entry['lanes'], `${where}.lanes`),
    rollingPct: entry['rolling_pct'],
    weeklyPct: entry['weekly_pct'],
  };
}

const lanesOf = (lanes: unknown, where: string): ReadonlyMap<string, ToldTotals> =>
  new Map(entriesOf(lanes).map(([lane, totals]) => [lane, totalsOf(totals, `${where}.${lane}`)]));

function totalsOf(totals: JsonObject, where: string): ToldTotals {
  return {
    where,
    requests: numberOf(totals['requests']),
    errors: numberOf(totals['errors']),
    tokens: isJsonObject(totals['tokens']) ? totals['tokens'] : {},
    costUsd: numberOf(totals['cost_usd']),
    unpricedTokens: numberOf(totals['unpriced_tokens']),
    uncounted: numberOf(totals['uncounted']),
  };
}

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);

const entriesOf = (value: unknown): [string, JsonObject][] =>
  isJsonObject(value)
    ? Object.entries(value).flatMap(([name, entry]) => (isJsonObject(entry) ? [[name, entry]] : []))
    : [];
