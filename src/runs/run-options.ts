import type { TargetSpec } from '../harness/types/target.ts';
import type { DriverOptions } from './drivers.ts';
import type { Plan } from './run-record.ts';
import type { Lane } from './suite.ts';

/** What the command line asks of a run. */
export interface RunOptions {
  readonly upstream: Plan['upstream'];
  /** `auto`: the real Claude Code where it is found, and raw probes beside it. */
  readonly client: 'auto' | 'claude' | 'curl';
  readonly target: TargetSpec;
  /** Default: a trial on mocks, the caller's own elsewhere. A suite with stages has its own. */
  readonly license?: 'trial' | 'none' | 'env' | undefined;
  /** In a suite with stages: the trial comes by `ccp license login`, from an issuer of the run's own. */
  readonly login: boolean;
  /** In a suite with stages: only the probes that go to these lanes are sent, or are kept from them by the licence. */
  readonly lanes: readonly Lane[];
  /** Limit of each probe; null leaves it to the suite. */
  readonly timeoutMs: number | null;
  readonly seed: string;
  /** Of a suite that is driven: figures in place of its own. */
  readonly driver?: DriverOptions | undefined;
  /** Ids of the checks and probes wanted; without any of a kind it is all of those of the suite. */
  readonly only: readonly string[];
  readonly failFast: boolean;
  readonly allowInconclusive: boolean;
}
