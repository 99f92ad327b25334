/**
 * What a run gathers beside the transcripts: how each client fared, what the proxy wrote and said, the
 * canaries planted, the artifacts to search. The harness makes these records, the analysis judges them.
 */
import type { Anomaly } from './anomaly.ts';
import type { Sample } from './meter.ts';
import type { HeaderPairs, Transcript } from './transcript.ts';
import type { UsageEvent } from './usage-event.ts';

/** What the witnesses of a run left behind; the run itself adds what it asked for. */
export interface Collected {
  /** What the clients sent and got, on the wire. */
  readonly client: readonly Transcript[];
  /** What the upstream mocks saw and sent: the ground truth. */
  readonly upstream: readonly Transcript[];
  /** What clients asked of anybody else; null where none was watched. */
  readonly elsewhere: readonly OutsideAttempt[] | null;
  readonly usage: UsageLog;
  readonly anomalies: readonly Anomaly[];
  /** What lay in the target's store at the end. */
  readonly store: KeptStore;
  /** The times that the run killed the target, in order. */
  readonly crashes: readonly Crash[];
  /** In order; more than one where the run restarted the proxy. */
  readonly lives: readonly ProxyLife[];
  readonly canaries: readonly Canary[];
  /** Every text artifact of the run, to be searched for canaries. */
  readonly artifacts: readonly Artifact[];
}

/** The store of a target, read from its file by a hand that is not the target's. */
export type KeptStore =
  | {
      readonly kind: 'read';
      /** In the order of the file; a row that does not look like one is as it was found. */
      readonly rows: readonly Sample[];
    }
  /** The target is to keep one, and it cannot be read. */
  | { readonly kind: 'unreadable'; readonly problem: string }
  /** There need not be one. */
  | { readonly kind: 'none'; readonly why: string };

/** One `kill -9` of the target, and what it left behind. Times are epoch milliseconds. */
export interface Crash {
  readonly killedAt: number;
  /** What clients had of it up to the kill; null where nothing was sent any more. */
  readonly load: CrashLoad | null;
  /** Completions in the log, of the whole run so far. */
  readonly logged: number;
  /** Answers that clients had, and another one after them, before the kill; and which of them the log knows nothing of. */
  readonly acknowledged: number;
  readonly unlogged: readonly string[];
  /** Rows in the store. */
  readonly rows: number;
  /** What `PRAGMA integrity_check` says: `ok`, or what is wrong; null where the file could not be opened. */
  readonly integrity: string | null;
  /** The same by the `sqlite3` command line. */
  readonly shell: ShellCheck;
  /** Completions of the log that have no row, by their `ts`. */
  readonly missing: readonly { readonly rid: string; readonly ts: number }[];
  /** What is counted twice: ids that have more than one row, hours of a model that count more exchanges than there are rows. */
  readonly doubled: readonly string[];
  /**
   * How much of the budget the next life called used before it was sent anything (null where it did not say), and how
   * many rows there were for it; null as a whole where there is no budget.
   */
  readonly rebuilt: { readonly said: number | null; readonly counted: number } | null;
  /** What the process took while it lived; null where that could not be read. */
  readonly slopes: Slopes | null;
}

/** What it said, or why it could not be asked. */
export type ShellCheck = { readonly said: string } | { readonly missing: string };

/** Something that was to run had no core, or came late for another reason that is the machine's: noticed at `at` (epoch milliseconds). */
export interface Stall {
  readonly at: number;
  /** Milliseconds that were lost until then. */
  readonly ms: number;
}

export interface CrashLoad {
  /** Whole answers with status 200. */
  readonly answered: number;
  /** As many as a slow machine gives, too: with fewer the kill was not amid load. */
  readonly least: number;
  /** Answers that were none, by their `client_request_id`. */
  readonly bad: readonly { readonly id: string; readonly what: string }[];
}

/** Least squares over the second half of a life. */
export interface Slopes {
  /** How long the half was, milliseconds. */
  readonly ms: number;
  readonly rssMbPerMinute: number;
  readonly filesPerMinute: number;
  readonly rssMb: number;
  readonly files: number;
}

/**
 * One round of a night, summed up: what every exchange of it came to was judged, and is then no longer needed. Times are
 * epoch milliseconds; durations are those of a clock that stands still while the machine sleeps.
 */
export interface RoundAccount {
  /** From 1. */
  readonly round: number;
  /** The world in which it ran, from 1: one toggle, one death or one red round further there is another. */
  readonly leg: number;
  /** The start-up setting of the proxy: what it may speak to its upstreams. */
  readonly protocol: '1.1' | '2';
  readonly startedAt: number;
  readonly ms: number;
  /** By how much the wall clock went further than the other since the round before: the machine slept, or somebody set it. */
  readonly jumpMs: number;
  /** How long the harness itself was kept from running (stopped, or without a processor): no load, though no clock stood still. */
  readonly stalledMs: number;
  /** Whether it was interrupted; then another of the same number follows where the night was resumed. */
  readonly partial: boolean;
  /** Probes sent, and how many of them were under way when the proxy died or the run was interrupted. */
  readonly sent: number;
  readonly setAside: number;
  /**
   * How many exchanges, and attempts at an upstream, each witness has; `upstream` is null where it is no mock, `stored`
   * where the target need not keep a store.
   */
  readonly witnesses: {
    readonly client: number;
    readonly logged: number;
    readonly stored: number | null;
    readonly attempts: number;
    readonly upstream: number | null;
  };
  /** Attempts by the protocol in which the upstreams saw them. */
  readonly spoken: { readonly h1: number; readonly h2: number };
  /**
   * How many exchanges clients, and upstreams, had under way at the same time at most; `upstream` is null where it is no mock,
   * the whole where nobody looked.
   */
  readonly atOnce: { readonly client: number; readonly upstream: number | null } | null;
  /** What was played, in the order of the plan. */
  readonly faults: readonly { readonly probe: string; readonly scenario: string }[];
  /** Whether the plan had the proxy killed. */
  readonly kills: boolean;
  readonly deaths: readonly ProxyDeath[];
  readonly verdict: {
    readonly outcome: 'pass' | 'fail' | 'inconclusive';
    /** Ids of the checks that passed. */
    readonly passed: readonly string[];
    /** The others but for those skipped: outcome, and the first thing that is wrong. */
    readonly red: readonly { readonly id: string; readonly outcome: string; readonly what: string }[];
  };
  /** What the process of the proxy took; null where it could not be read. */
  readonly readings: readonly LifeReading[] | null;
  /** How long plain answers took, and by which process they were given (its name as in the readings; empty where nobody said). */
  readonly answers: readonly { readonly life: string; readonly at: number; readonly ms: number }[];
  /** Where the whole of its evidence is, relative to the folder of the run; null where it was summed up. */
  readonly kept: string | null;
}

export interface ProxyDeath {
  readonly at: number;
  /** The plan; of itself; or killed by the harness, as it answered nobody any more. */
  readonly cause: 'chaos' | 'itself' | 'hung';
  /** Milliseconds until another process was ready; null where none came to be. */
  readonly backMs: number | null;
}

/** What a process took at a time of its life (milliseconds since it was first looked at). */
export interface LifeReading {
  /** Names the process: leg and number of its life. */
  readonly life: string;
  readonly at: number;
  readonly rssMb: number;
  readonly files: number;
  readonly sockets: number;
}

/** A night of rounds. */
export interface Night {
  /** What ends it before its time: the first red round, the first green one, or nothing. */
  readonly until: 'red' | 'green' | 'time';
  readonly rounds: readonly RoundAccount[];
}

export interface ProbeResult {
  readonly id: string;
  readonly client: 'claude' | 'curl';
  /** The model as the client was asked for it: an alias for Claude Code. */
  readonly model: string;
  /** The phrase in the prompt that marks this probe on the wire. */
  readonly canary: string;
  /** Where the contract says that this must go. */
  readonly expectedLane: string;
  /** The decision that must be on record for it; absent where no gate is to turn it away. */
  readonly expectedDecision?: ExpectedDecision;
  readonly startedAt: number;
  readonly ms: number;
  /** Null where the client was killed. */
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  /** What the client itself calls success: exit 0 and, for Claude Code, `is_error: false`. */
  readonly ok: boolean;
  /** The final text that the client showed. */
  readonly text: string;
  /** Token counts as the client reports them; absent where it reports none. */
  readonly tokens?: {
    readonly input: number;
    readonly output: number;
    readonly cacheRead: number;
    readonly cacheWrite: number;
  };
  /** A line that repeats this probe by hand. */
  readonly reproduce: string;
}

/** What a gate, or a limit of the lane, is to make of a request. */
export type ExpectedDecision =
  | 'license_block'
  | 'quota_block'
  | 'quota_warn_attempt'
  | 'cooldown'
  | 'fallback_limit';

export interface UsageLog {
  readonly events: readonly UsageEvent[];
  /**
   * Lines that are no usage event: the file, by the place of its artifact (where it is not told, `usage.jsonl`), one-based
   * line number in it, and what is wrong.
   */
  readonly bad: readonly { readonly file?: string; readonly line: number; readonly problem: string }[];
  /** Whether a log that existed before the run was rotated away first. */
  readonly rotatedBefore: boolean;
}

/** One process of the target, from its start to its end, and what it told of itself. */
export interface ProxyLife {
  /** The stage of the run that it served. */
  readonly stage: string;
  /** Epoch milliseconds at which it was ready. */
  readonly startedAt: number;
  /** Null for one that was not ours to start. */
  readonly pid: number | null;
  readonly license: GivenLicense;
  readonly quota: GivenQuota | null;
  readonly answers: ProxyAnswers;
  /** The lines of its output that speak of its licence. */
  readonly licenseLines: readonly string[];
  /** Null where it was not asked to end before the account of the run was made, as one that the run killed. */
  readonly ending: LifeEnding | null;
}

/** How a process ended that was asked to, by SIGTERM. */
export interface LifeEnding {
  /** Null where a signal ended it, as one does that is still there after its grace. */
  readonly exitCode: number | null;
  /** Milliseconds from the request to the end. */
  readonly ms: number;
}

/**
 * What a target finds for a licence. `trial` opens the Z.AI lane, `env` is the caller's own affair; all others
 * leave the lane closed: none at all, or one that is wrong in the way named.
 */
export type LicenseKind = 'trial' | 'env' | 'none' | 'tampered' | 'expired' | 'wrong-kid' | 'unsigned';

export interface GivenLicense {
  readonly kind: LicenseKind;
  /** What a proxy must say of it; null where the run cannot know. */
  readonly expected: LicenseClaim | null;
}

/** What somebody says of a licence, in the words of the contract (section 7). */
export interface LicenseClaim {
  readonly ok: boolean;
  /** `community` where it does not count. */
  readonly plan: string;
  readonly features: readonly string[];
  /** Why it does not count; null where it does. */
  readonly reason: string | null;
  /** Absent where it does not count. */
  readonly kid?: string;
  /** Absent there, too, and where somebody else chose the time. */
  readonly expires?: string;
}

/** The budget of a lane that the run gave a target. Its window is longer than any run. */
export interface GivenQuota {
  readonly lane: string;
  /** Part of the names of the models that it is for. */
  readonly model: string;
  /** How many requests the window holds. */
  readonly requests: number;
  readonly mode: RerouteMode;
}

export type RerouteMode = 'off' | 'block' | 'hybrid';

/** Answers at the end of a life. */
export interface ProxyAnswers {
  readonly readyz: { readonly status: number; readonly body: unknown } | null;
  /** `ccp providers --json`, null where the target has no such command. */
  readonly providers: unknown;
  /** `/metrics` after the last probe, null where the target has none. */
  readonly metrics: string | null;
  /** `ccp license status --json`, null where the target has no such command. */
  readonly license: unknown;
  /** The meter over HTTP, at the end of the last life: documents as they came, null where the target has no such endpoint. */
  readonly meter: MeterAnswers | null;
  /** What is not there beneath its own endpoints; null where it was not asked for that. */
  readonly beneath: readonly BeneathAnswer[] | null;
}

/** What came of one request for it, with a credential. */
export interface BeneathAnswer {
  readonly path: string;
  /** Null where none came. */
  readonly answer: { readonly status: number; readonly body: string } | null;
}

export interface MeterAnswers {
  /** `/v1/usage`. */
  readonly usage: unknown;
  /** The pages of `/v1/usage/samples`, newest first. */
  readonly samples: readonly unknown[];
  /** `/v1/usage/rollups` of each granularity. */
  readonly hour: unknown;
  readonly day: unknown;
  /** `/v1/quotas`. */
  readonly quotas: unknown;
}

export interface Canary {
  /** What it stands for: `anthropic-key`, `anthropic-oauth`, `zai-key`, `prompt:<probe>`, … */
  readonly name: string;
  readonly value: string;
  /** Places where it may appear, matched against `Artifact.place` and the wire places. */
  readonly allowed: readonly string[];
}

/** What a client asked of somebody who is no part of the run. It was refused. */
export interface OutsideAttempt {
  /** Host name, without a port. */
  readonly host: string;
  /** Absent where the client broke the handshake off. */
  readonly request?: {
    readonly method: string;
    readonly url: string;
    readonly headers: HeaderPairs;
    /** Without its content coding. */
    readonly body: string;
  };
}

export interface Artifact {
  /** `wire:anth:request`, `wire:zai:request`, `elsewhere:HOST`, `usage.jsonl`, `proxy.log`, `metrics`, `partials/…`, … */
  readonly place: string;
  readonly text: string;
}
