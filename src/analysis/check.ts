import type { Evidence } from './evidence.ts';

/** How a check came out. `invalid`: a control misbehaved, so nothing can be said. */
export type Outcome = 'pass' | 'fail' | 'inconclusive' | 'invalid' | 'skipped';

/** One named assertion over the evidence of a run. */
export interface Check {
  /** Like `ROUTE-01`; never reused for something else. */
  readonly id: string;
  /** The claim in words, as a person would put it: "No haiku reached Anthropic". */
  readonly title: string;
  /** Judges the evidence. Must be pure. With less evidence than `least`, the caller reports `inconclusive`. */
  judge(evidence: Evidence): Finding;
  /** The least number of observations (`Finding.observed`) that a pass may rest on. */
  readonly least: number;
  /**
   * The witnesses, beside the client, on which it rests. A run that cannot have one of them by its nature (a
   * real upstream keeps no transcript for us, a proxy that already runs keeps its log) skips the check.
   */
  readonly needs?: readonly Witness[];
  /** The lane that it is about, where it is about one: a run that sends nothing there skips the check. */
  readonly lane?: string;
}

/** `upstream`: the mocks' transcripts; `proxy`: its log, files and output; `commands`: what `ccp` commands do and say. */
export type Witness = 'upstream' | 'proxy' | 'commands';

export interface Finding {
  /** What a person should know beside the verdict, such as what was set apart and not judged. */
  readonly note?: string;
  /** How many observations the judgement rests on. */
  readonly observed: number;
  /** What contradicts the claim; empty means that the claim stands. */
  readonly violations: readonly Violation[];
  /** Why the check does not apply to this run; then it is skipped. */
  readonly skipped?: string;
}

export interface Violation {
  /** One sentence: what was expected and what was seen. */
  readonly what: string;
  readonly expected?: string;
  /** What each witness saw, by name. */
  readonly saw?: Readonly<Record<string, string>>;
  /** Where to look: a transcript id, a rid, a file and line. */
  readonly pointers: readonly string[];
}

export interface Verdict {
  readonly id: string;
  readonly title: string;
  readonly outcome: Outcome;
  readonly observed: number;
  readonly violations: readonly Violation[];
  /** For `inconclusive`, `invalid` and `skipped`: why. For others, what the check wants to add. */
  readonly note?: string;
}
