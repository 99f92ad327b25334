/** What `/v1/usage` says (contract, section 8), under its names; which are read nowhere else. */
import { isJsonObject, type JsonObject } from './json.ts';

/** One line of the bill. What is not there, or of another kind, is null. */
export interface ToldTotals {
  /** `lanes.zai`, `models.claude-sonnet-5.lanes.anthropic`. */
  readonly where: string;
  readonly requests: number | null;
  readonly errors: number | null;
  readonly tokens: JsonObject;
  readonly costUsd: number | null;
  readonly unpricedTokens: number | null;
}

export interface ToldUsage {
  readonly lanes: ReadonlyMap<string, ToldTotals>;
  /** By model and lane, as `MODEL LANE`. */
  readonly models: ReadonlyMap<string, ToldTotals>;
}

/** Null where it is no such answer. */
export function readUsageAnswer(answer: unknown): ToldUsage | null {
  if (!isJsonObject(answer) || !isJsonObject(answer['lanes']) || !isJsonObject(answer['models'])) return null;
  const models = entriesOf(answer['models']).flatMap(([model, entry]) =>
    entriesOf(entry['lanes']).map(
      ([lane, totals]) => [`${model} ${lane}`, totalsOf(totals, `models.${model}.lanes.${lane}`)] as const,
    ),
  );
  const lanes = entriesOf(answer['lanes']).map(
    ([lane, totals]) => [lane, totalsOf(totals, `lanes.${lane}`)] as const,
  );
  return { lanes: new Map(lanes), models: new Map(models) };
}

function totalsOf(totals: JsonObject, where: string): ToldTotals {
  return {
    where,
    requests: numberOf(totals['requests']),
    errors: numberOf(totals['errors']),
    tokens: isJsonObject(totals['tokens']) ? totals['tokens'] : {},
    costUsd: numberOf(totals['cost_usd']),
    unpricedTokens: numberOf(totals['unpriced_tokens']),
  };
}

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);

const entriesOf = (value: unknown): [string, JsonObject][] =>
  isJsonObject(value)
    ? Object.entries(value).flatMap(([name, entry]) => (isJsonObject(entry) ? [[name, entry]] : []))
    : [];
