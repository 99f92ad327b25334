/**
 * Everything that a run left behind to be judged: the views of the three witnesses, what the proxy said
 * when asked, and the canaries that were planted. Checks are pure functions over this value, so a stored
 * run can be judged again.
 */
import type { Collected, Night, ProbeResult, Stall } from '../protocol/witness.ts';

export type {
  Artifact,
  Canary,
  Crash,
  LifeReading,
  Night,
  OutsideAttempt,
  ProbeResult,
  ProxyLife,
  RoundAccount,
  Stall,
} from '../protocol/witness.ts';

export interface Evidence extends Collected {
  readonly suite: string;
  readonly run: string;
  /** What was asked for, one per client invocation. */
  readonly probes: readonly ProbeResult[];
  /** When the machine was late, as the harness noticed; none where it was not, or nobody looked. */
  readonly stalls?: readonly Stall[];
  /** The rounds of a night, where the run was one. */
  readonly night?: Night;
}
