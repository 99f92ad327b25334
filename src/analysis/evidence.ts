/**
 * Everything that a run left behind to be judged: the views of the three witnesses, what the proxy said
 * when asked, and the canaries that were planted. Checks are pure functions over this value, so a stored
 * run can be judged again.
 */
import type { Anomaly } from '../protocol/anomaly.ts';
import type { Transcript } from '../protocol/transcript.ts';
import type {
  Artifact,
  Canary,
  OutsideAttempt,
  ProbeResult,
  ProxyAnswers,
  UsageLog,
} from '../protocol/witness.ts';

export type {
  Artifact,
  Canary,
  OutsideAttempt,
  ProbeResult,
  ProxyAnswers,
  UsageLog,
} from '../protocol/witness.ts';

export interface Evidence {
  readonly suite: string;
  readonly run: string;
  /** What was asked for, one per client invocation. */
  readonly probes: readonly ProbeResult[];
  /** What the clients sent and got, on the wire. */
  readonly client: readonly Transcript[];
  /** What the upstream mocks saw and sent: the ground truth. */
  readonly upstream: readonly Transcript[];
  /** What clients asked of anybody else; null where none was watched. */
  readonly elsewhere: readonly OutsideAttempt[] | null;
  readonly usage: UsageLog;
  readonly anomalies: readonly Anomaly[];
  readonly proxy: ProxyAnswers;
  readonly canaries: readonly Canary[];
  /** Every text artifact of the run, to be searched for canaries. */
  readonly artifacts: readonly Artifact[];
}
