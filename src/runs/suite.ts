/**
 * What a suite is: data that says which probes are sent, what they must show, and which checks judge it.
 * A suite file reads as the claim it proves; nothing in it acts.
 */
import type { ProviderId } from '../harness/types.ts';

export interface Suite {
  /** As typed: `ccp-uat <name>` or `ccp-uat run <name>`. */
  readonly name: string;
  readonly title: string;
  /** What a green run entitles one to say, one sentence each. */
  readonly proves: readonly string[];
  readonly probes: readonly ProbeSpec[];
  /** `CCP_*` settings of the target, over those that the world sets itself. */
  readonly settings: Readonly<Record<string, string>>;
  /** Ids of the checks that judge it, in the order of the verdict table. */
  readonly checks: readonly string[];
  readonly artifacts: {
    /** Names `results/METRICS_<name>.json`, `logs/usage_<name>.jsonl` and the line in `results/TESTS.md`. */
    readonly name: string;
    /** A further copy of the summary below `results/`, for those who already look there. */
    readonly summary?: string;
  };
}

export type ProbeSpec = ClaudeProbeSpec | RawProbeSpec;

interface AnyProbeSpec {
  /** Unique in its suite; a probe sent several times gets `-1`, `-2`, … */
  readonly id: string;
  /** An alias for Claude Code (`haiku`), a full name on the wire for a raw probe. */
  readonly model: string;
  /** Where the contract says that it must go. */
  readonly lane: Lane;
  /** How often it is sent; default once. */
  readonly times?: number;
  /** What the upstream plays for it; default: a plain answer. Such a probe has the upstreams to itself. */
  readonly scenario?: { readonly provider: ProviderId; readonly name: string };
}

export type Lane = 'anthropic' | 'zai';

/** One `claude -p` of the real Claude Code. */
export interface ClaudeProbeSpec extends AnyProbeSpec {
  readonly client: 'claude';
  /** How it is logged in: an API key (default) or a stored subscription login. */
  readonly login?: 'key' | 'oauth';
  /** Default "Say ok." */
  readonly prompt?: string;
}

/** One request written byte by byte. */
export interface RawProbeSpec extends AnyProbeSpec {
  readonly client: 'curl';
  readonly op: 'stream' | 'nonstream' | 'count_tokens' | 'models';
  /** Sent as `accept-encoding`; default `identity`. */
  readonly acceptEncoding?: string;
}

/** The provider whose traffic a lane's label stands for. */
export const PROVIDER_OF: Readonly<Record<Lane, ProviderId>> = { anthropic: 'anth', zai: 'zai' };
