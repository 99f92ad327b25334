/** Which runs a command makes: each suite so many times, and of all those the ones of a shard. */
import { OperatorError } from '../errors.ts';

/** `--shard 2/5` is `{ index: 2, count: 5 }`. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

export interface Unit {
  readonly suite: string;
  /** From 1 on. */
  readonly repetition: number;
}

/**
 * The runs to make, in order. The shards of one selection are disjoint and together the whole of it, and differ by one
 * run at most. Throws USAGE for a shard that is left with nothing: what runs nothing proves nothing.
 */
export function selectRuns(
  suites: readonly string[],
  { repeatEach, shard }: { readonly repeatEach: number; readonly shard: Shard | undefined },
): Unit[] {
  const all = suites.flatMap((suite) =>
    Array.from({ length: repeatEach }, (_, at) => ({ suite, repetition: at + 1 })),
  );
  if (shard === undefined) return all;
  // By turns: neighbours in the list, such as the repetitions of a long suite, go to different machines.
  const own = all.filter((_, at) => at % shard.count === shard.index - 1);
  if (own.length > 0) return own;
  throw new OperatorError(
    'USAGE',
    `--shard ${shard.index}/${shard.count} has nothing to run: there ${all.length === 1 ? 'is 1 run' : `are ${all.length} runs`}`,
    { hint: `Divide by ${all.length} at most.` },
  );
}
