/** What a run of the benchmark will do, as a value. */
import { CONTESTANTS, type Contestant } from './contestants.ts';
import type { Options } from './options.ts';
import { WORKS, type Work } from './work.ts';

export interface Cell {
  readonly work: Work;
  readonly concurrency: number;
}

export interface Plan {
  readonly contestants: readonly Contestant[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** Exchanges, fast and paced. */
  readonly cells: readonly Cell[];
  /** Slow streams, whose memory is weighed. */
  readonly slow: readonly Work[];
  readonly reps: number;
  /** Once for each work and contestant, before anything is measured. */
  readonly breakInMs: number;
  readonly warmMs: number;
  readonly ms: number;
  readonly streams: number;
  /** See `MemoryOptions`. */
  readonly settleMs: number;
  readonly laterMs: number;
}

/** Paced streams at once. */
const PACED_AT_ONCE = 64;

export function makePlan({ contestants, peers, works, concurrency, reps, ms, streams }: Options): Plan {
  const wanted = CONTESTANTS.filter(({ name, peer }) => contestants?.includes(name) ?? (peers || !peer));
  const verdicts = wanted.map((contestant) => ({ contestant, reason: contestant.missing() }));
  // Paced streams are about their events: the size of the request does not matter to them.
  const chosen = WORKS.filter(({ name }) => works?.includes(name) ?? name !== 'paced-124k');
  return {
    contestants: verdicts.filter(({ reason }) => reason === null).map(({ contestant }) => contestant),
    skipped: verdicts.flatMap(({ contestant: { name }, reason }) =>
      reason === null ? [] : [{ name, reason }],
    ),
    cells: chosen.flatMap((work) => {
      if (work.shape === 'slow') return [];
      return (work.shape === 'paced' ? [PACED_AT_ONCE] : concurrency).map((n) => ({ work, concurrency: n }));
    }),
    slow: chosen.filter(({ shape }) => shape === 'slow'),
    reps,
    breakInMs: Math.min(5000, 4 * ms),
    warmMs: Math.min(400, ms / 2),
    ms,
    streams,
    settleMs: 3000,
    laterMs: 5000,
  };
}
