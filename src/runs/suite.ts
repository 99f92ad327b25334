/**
 * What a suite is: data that says which probes are sent, what they must show, and which checks judge it.
 * A suite file reads as the claim it proves; nothing in it acts.
 */
import type { ProviderId } from '../harness/types/world.ts';
import type { ExpectedDecision, GivenQuota, LicenseKind, RerouteMode } from '../protocol/witness.ts';
import type { Plan } from './run-record.ts';

export interface Suite {
  /** As typed: `ccp-uat <name>` or `ccp-uat run <name>`. */
  readonly name: string;
  readonly title: string;
  /** What a green run entitles one to say, one sentence each. */
  readonly proves: readonly string[];
  readonly probes: readonly ProbeSpec[];
  /** What sends, where it is no list of probes; its figures are the defaults of the command line. */
  readonly driver?: Plan['driver'];
  /** Every probe is sent in each of them; without any there is one, with the licence that the caller chose. */
  readonly stages?: readonly StageSpec[];
  /** Limit of each probe, milliseconds, where nobody sets another. */
  readonly timeoutMs: number;
  /** `CCP_*` settings of the target, over those that the world sets itself. */
  readonly settings: Readonly<Record<string, string>>;
  /** A budget that the target is given. Only mocks can be counted on to let it be used up. */
  readonly quota?: Omit<GivenQuota, 'mode'>;
  /** Ids of the checks that judge it, in the order of the verdict table. */
  readonly checks: readonly string[];
  /** Each probe is sent by itself, in the order of the suite. */
  readonly inOrder?: true;
  /** Clients that leave do so amid all the others: what that causes is not timed then. */
  readonly crowded?: true;
  /** Of each kind of raw probe no more than these at once; the next when all of these have ended. */
  readonly ofEachAtOnce?: number;
  /** It is run where somebody names it, and not with all others: it takes its time, or repeats what another shows. */
  readonly onlyNamed?: true;
  /** Whether the verdict shows what Claude Code itself said, with the log lines of its exchanges under it. */
  readonly showsAnswers?: true;
  readonly artifacts: {
    /** Names `results/METRICS_<name>.json`, `logs/usage_<name>.jsonl` and the line in `results/TESTS.md`. */
    readonly name: string;
    /** A further copy of the summary below `results/`, for those who already look there. */
    readonly summary?: string;
    /** A file that is copied to `results/<folder>/METRICS_<run>.json`, beside that of every other such run. */
    readonly perRun?: { readonly folder: string; readonly file: string };
    /** A report of its own kind, in the folder of the run and below `results/`. */
    readonly report?: string;
  };
}

/** The proxy is started anew for each stage, in the same home and with the same log. */
export interface StageSpec {
  readonly name: string;
  readonly license: Exclude<LicenseKind, 'env'>;
  /** How it gets there: in the environment (default), or by `ccp license set`, `login` or `logout`. */
  readonly by?: 'command';
  /** What the target does at the end of a budget. */
  readonly mode?: RerouteMode;
  /** A budget in place of that of the suite. */
  readonly quota?: Omit<GivenQuota, 'mode'>;
}

export type ProbeSpec = ClaudeProbeSpec | RawProbeSpec;

interface AnyProbeSpec {
  /** Unique in its suite; a probe sent several times gets `-1`, `-2`, … */
  readonly id: string;
  /** An alias for Claude Code (`haiku`), a full name on the wire for a raw probe. */
  readonly model: string;
  /** Where the contract says that it must go. */
  readonly lane: Lane;
  /** What must be on record for it, where a budget or a limit is to turn it away. */
  readonly decision?: ExpectedDecision;
  /** Sent so many milliseconds after the one before it has ended. */
  readonly afterMs?: number;
  /** Names of the stages that it is sent in; default all. */
  readonly stages?: readonly string[];
  /** How often it is sent; default once. */
  readonly times?: number;
  /** All of these times at once, also in a suite that sends its probes one after the other. */
  readonly together?: true;
  /**
   * What the upstream plays for it; default: a plain answer. A name is asked for in the prompt, so that every
   * upstream that sees it plays it. With a provider it is queued there alone: what a fallback needs. Such a
   * probe is sent by itself.
   */
  readonly scenario?:
    | string
    | { readonly provider: ProviderId; readonly name: string; readonly times?: number };
  /** The scenario is a failure, so the client may be left with one; a probe without this must succeed. */
  readonly mayFail?: true;
}

export type Lane = 'anthropic' | 'zai';

/** One `claude -p` of the real Claude Code. */
export interface ClaudeProbeSpec extends AnyProbeSpec {
  readonly client: 'claude';
  /** How it is logged in: an API key (default) or a stored subscription login. */
  readonly login?: 'key' | 'oauth';
}

/** One request written byte by byte. */
export interface RawProbeSpec extends AnyProbeSpec {
  readonly client: 'curl';
  readonly op: 'stream' | 'nonstream' | 'count_tokens' | 'models';
  /** Sent as `accept-encoding`; default `identity`. */
  readonly acceptEncoding?: string;
  /** Goes away once so many bytes of the answer have come. */
  readonly leaveAfterBytes?: number;
  /** What is asked of a real upstream in place of the scenario; without it, a probe with a scenario is not sent there. */
  readonly live?: { readonly prompt: string; readonly maxTokens: number };
}
