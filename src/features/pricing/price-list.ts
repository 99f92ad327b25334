/**
 * What the providers ask, as published, in US dollars for a million tokens. Read in November 2026:
 * - Anthropic: platform.claude.com/docs/en/about-claude/pricing, and the overview page of each model;
 * - Z.AI: docs.z.ai/guides/overview/pricing as quoted by resellers, whose figures agree.
 * `valid_from` is the day of a model's release or of a change of its price; where that is not known, an earlier day.
 * Batches, regions and fast modes have prices of their own, which no count of tokens tells apart.
 */
import type { PriceEntry } from './price-file.ts';

type Prices = PriceEntry['usd_per_mtok'];

/** Anthropic's multipliers for writing to the cache: 1.25 for five minutes, 2 for an hour. */
const claude = (input: number, output: number, cacheRead: number): Prices => ({
  input,
  output,
  cache_read: cacheRead,
  cache_write_5m: input * 1.25,
  cache_write_1h: input * 2,
});

/** Z.AI stores the cache for nothing and counts no writes. */
const glm = (input: number, output: number, cacheRead: number): Prices => ({
  input,
  output,
  cache_read: cacheRead,
});

const anthropic = (models: readonly string[], validFrom: string, prices: Prices): PriceEntry => ({
  lane: 'anthropic',
  // With or without the date of a snapshot; the name of a model that does not exist yet must not match.
  models: models.flatMap((model) => [model, `${model}-20*`]),
  valid_from: validFrom,
  usd_per_mtok: prices,
});

const zai = (models: readonly string[], validFrom: string, prices: Prices): PriceEntry => ({
  lane: 'zai',
  models: [...models],
  valid_from: validFrom,
  usd_per_mtok: prices,
});

export const PRICE_LIST: readonly PriceEntry[] = [
  anthropic(['claude-fable-5-1', 'claude-mythos-5-1'], '2026-09-01', claude(10, 50, 0.25)),
  anthropic(['claude-fable-5', 'claude-mythos-5'], '2026-01-01', claude(10, 50, 1)),
  anthropic(['claude-opus-5-5'], '2026-09-01', claude(4, 20, 0.2)),
  anthropic(['claude-opus-5'], '2026-01-01', claude(5, 25, 0.5)),
  anthropic(
    ['claude-opus-4-5', 'claude-opus-4-6', 'claude-opus-4-7', 'claude-opus-4-8'],
    '2025-11-24',
    claude(5, 25, 0.5),
  ),
  anthropic(['claude-opus-4', 'claude-opus-4-0', 'claude-opus-4-1'], '2025-05-22', claude(15, 75, 1.5)),
  anthropic(['claude-sonnet-5-5'], '2026-09-28', claude(2, 10, 0.2)),
  anthropic(['claude-sonnet-5-5'], '2026-10-07', claude(2, 10, 0.1)),
  anthropic(['claude-sonnet-5'], '2026-06-30', claude(2, 10, 0.2)),
  anthropic(
    ['claude-sonnet-4', 'claude-sonnet-4-0', 'claude-sonnet-4-5', 'claude-sonnet-4-6'],
    '2025-05-22',
    claude(3, 15, 0.3),
  ),
  anthropic(['claude-3-7-sonnet'], '2025-02-24', claude(3, 15, 0.3)),
  // A prompt of more than 100,000 tokens costs five times as much, its answer too: sums over prompts cannot tell.
  { ...anthropic(['claude-haiku-5-5'], '2026-10-07', claude(0.1, 0.5, 0.01)), at_least: true },
  anthropic(['claude-haiku-4-5'], '2025-10-15', claude(1, 5, 0.1)),
  anthropic(['claude-3-5-haiku'], '2024-11-04', claude(0.8, 4, 0.08)),
  // Its cache prices were rounded when they were published, and were never the multiples.
  anthropic(['claude-3-haiku'], '2024-03-13', {
    ...claude(0.25, 1.25, 0.03),
    cache_write_5m: 0.3,
    cache_write_1h: 0.5,
  }),
  zai(['glm-5.1', 'glm-5.2'], '2026-04-07', glm(1.4, 4.4, 0.26)),
  zai(['glm-5-turbo'], '2026-03-15', glm(1.2, 4, 0.24)),
  zai(['glm-5'], '2026-02-12', glm(1, 3.2, 0.2)),
  zai(['glm-4.5', 'glm-4.6', 'glm-4.7'], '2025-07-28', glm(0.6, 2.2, 0.11)),
  zai(['glm-4.5-air'], '2025-07-28', glm(0.2, 1.1, 0.03)),
  zai(['glm-4.7-flashx'], '2026-01-19', glm(0.07, 0.4, 0.01)),
  zai(['glm-4.5-flash', 'glm-4.7-flash'], '2025-07-28', glm(0, 0, 0)),
  // Z.AI's own guide to Claude Code has GLM-4.5-Air behind haiku; where an answer names its model, that one counts.
  zai(['claude-*haiku*'], '2025-07-28', glm(0.2, 1.1, 0.03)),
];
