/** What the processes of the proxy took in a leg of a night, one after the other, as the accounts of its rounds tell it. */
import { type ProcessWatch, watchProcess } from '../../harness/process-watch.ts';
import type { RoundAccount } from '../../protocol/witness.ts';
import type { Driving } from '../execute.ts';
import { thinReadings } from './thin.ts';

export interface LegWatch extends AsyncDisposable {
  /** Names the process that is watched now. */
  life(): string;
  /** From now on another process is watched. */
  next(): Promise<void>;
  /** What was read since it was asked last; null where a life could not be read at all. */
  take(): RoundAccount['readings'];
}

/** Watches the process that runs now. `leg`: its number, which the names of the lives begin with. */
export function beginWatch({ world }: Driving, leg: number): LegWatch {
  let number = 1;
  let watch: ProcessWatch = watchProcess(world.target.pid);
  let from = 0;
  let past: RoundAccount['readings'] = [];
  const life = (): string => `${leg}.${number}`;
  const readings = (): RoundAccount['readings'] => {
    const seen = watch.seen();
    const [first] = seen;
    if (first === undefined) return null;
    const fresh = seen.slice(from).map(({ at, ...taken }) => ({ ...taken, at: at - first.at }));
    return thinReadings(fresh).map((one) => ({ ...one, life: life() }));
  };
  const joined = (): RoundAccount['readings'] => {
    const now = readings();
    return past === null || now === null ? null : [...past, ...now];
  };
  return {
    life,
    async next() {
      past = joined();
      await watch[Symbol.asyncDispose]();
      watch = watchProcess(world.target.pid);
      number += 1;
      from = 0;
    },
    take() {
      const taken = joined();
      past = [];
      from = watch.seen().length;
      return taken;
    },
    [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
  };
}
