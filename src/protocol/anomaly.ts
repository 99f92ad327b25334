/** The lines of `anomalies.jsonl`: what should not happen, by `rid`. */
export const ANOMALY_KINDS = [
  'truncated',
  'protocol_violation',
  'unknown_event',
  'tap_gave_up',
  'uncounted',
  'counts_do_not_add_up',
  'partial_not_written',
] as const;

export type AnomalyKind = (typeof ANOMALY_KINDS)[number];

export interface Anomaly {
  readonly v: 1;
  /** RFC 3339 with milliseconds, UTC. */
  readonly ts: string;
  readonly rid: string;
  readonly lane: string;
  readonly kind: AnomalyKind;
  /** One sentence for an operator; never a credential, a prompt or an answer. */
  readonly detail: string;
}
