/** The token counts that an upstream claims: distinct for every exchange, so that exactness can be tested. */
import { createSeeded } from './seeded.ts';

export interface Counts {
  readonly input: number;
  readonly output: number;
  readonly cache_read: number;
  readonly cache_write_5m: number;
  readonly cache_write_1h: number;
}

/**
 * Counts of the n-th exchange of one upstream. Each kind starts at a seeded place and grows by a step of its
 * own, so that no two exchanges share a count and no sum of one kind is mistaken for that of another.
 */
export function countsOf(seed: string, provider: string, ordinal: number): Counts {
  const seeded = createSeeded(seed, provider, 'counts');
  return {
    input: 1_000 + seeded.int(1_000) + 3 * ordinal,
    output: 100 + seeded.int(400) + ordinal,
    cache_read: 12_000 + seeded.int(4_000) + 5 * ordinal,
    cache_write_5m: 3_000 + seeded.int(2_000) + 2 * ordinal,
    cache_write_1h: 6_000 + seeded.int(3_000) + 7 * ordinal,
  };
}
