import { isRecord } from './json.ts';
import type { Tokens } from './usage-event.ts';

/** A thousand times what the largest context takes: what says more is no count, and would break every sum that it is in. */
export const MOST_TOKENS = 1e9;

const NONE: Tokens = { input: 0, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 };

/**
 * The token counts after one more `usage` object. Counts of a stream are cumulative: what is stated replaces
 * what was known, and what is null, absent or no count leaves it (anthropic-sdk-typescript, MessageStream).
 * Z.AI states 0/0 first and the truth last. Cache writes whose lifetime is not stated are 5-minute ones, the
 * API's default.
 */
export function mergeUsage(known: Tokens | undefined, usage: unknown): Tokens | undefined {
  if (!isRecord(usage)) return known;
  const before = known ?? NONE;
  const split = isRecord(usage['cache_creation']) ? usage['cache_creation'] : {};
  const writes = count(usage['cache_creation_input_tokens']);
  const write1h = count(split['ephemeral_1h_input_tokens']) ?? before.cache_write_1h;
  const unstated = writes === undefined ? before.cache_write_5m : Math.max(writes - write1h, 0);
  return {
    input: count(usage['input_tokens']) ?? before.input,
    output: count(usage['output_tokens']) ?? before.output,
    cache_read: count(usage['cache_read_input_tokens']) ?? before.cache_read,
    cache_write_5m: count(split['ephemeral_5m_input_tokens']) ?? unstated,
    cache_write_1h: write1h,
  };
}

/** How many tokens of all kinds. */
export const sumOf = (tokens: Tokens | undefined): number =>
  Object.values(tokens ?? NONE).reduce((sum, each) => sum + each, 0);

function count(value: unknown): number | undefined {
  const counts = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST_TOKENS;
  return counts ? value : undefined;
}
