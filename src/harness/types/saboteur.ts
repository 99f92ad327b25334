/** Ways to break the surroundings, and the layers that they sit at. */
import type { HeaderPairs } from '../../protocol/transcript.ts';
import type { Crash, KeptStore, ProxyLife } from '../../protocol/witness.ts';
import type { ClaudeCredentials } from './client.ts';
import type { Canaries, Licenses, ProviderId, Stage } from './world.ts';

/** A way to break the surroundings, and the checks that must notice. */
export interface Saboteur {
  /** Kebab-case, unique. */
  readonly name: string;
  /** What is wrong, as one would report it. */
  readonly breaks: string;
  readonly faults: readonly Fault[];
  /** Ids of the checks each of which must fail. */
  readonly caughtBy: readonly string[];
  /** Ids of checks that it takes the evidence from: each must come out inconclusive, which is what makes the run red. */
  readonly blinds?: readonly string[];
  /** What a sonnet or haiku probe must be answered with for the fault to show; default: any stream. */
  readonly scenario?: {
    readonly provider: ProviderId;
    readonly name: string;
    /** Played by that provider alone, whatever the prompt says: the answer comes from the lane that it falls back to. */
    readonly fallsBack?: true;
  };
  /** Shows only where something is sent to this lane; what sits in front of an upstream needs no word of it. */
  readonly lane?: 'anthropic' | 'zai';
  /** Shows only with a client that leaves before the end. */
  readonly clientLeaves?: true;
  /** Shows only in these stages of this suite; default: in the run that the self-test makes anyway. */
  readonly during?: {
    readonly suite: string;
    readonly stages: readonly string[];
    /** Of a night: how many show it; default as many as the control has. */
    readonly rounds?: number;
  };
  /** Shows only with Claude Code, logged in like this. */
  readonly claude?: ClaudeCredentials['kind'];
}

/** The layer at which a saboteur sits, and what it does there. */
export type Fault =
  | { readonly layer: 'client'; readonly rewrite: (context: FaultContext) => ExchangeRewriter }
  | {
      readonly layer: 'upstream';
      readonly provider: ProviderId;
      readonly rewrite: (context: FaultContext) => ExchangeRewriter;
    }
  | {
      readonly layer: 'records';
      readonly alter: (records: ProxyRecords, context: FaultContext) => ProxyRecords;
    }
  /** Lies in the configuration folder of Claude Code, as its `settings.json`. */
  | { readonly layer: 'claude'; readonly settings: Readonly<Record<string, unknown>> }
  /** Stands at the end of a file of the run's folder once the run is stored. */
  | {
      readonly layer: 'stored';
      /** Relative to the folder. */
      readonly place: string;
      readonly text: (canaries: Canaries) => string;
    }
  /** The first raw probe cannot be carried out. */
  | { readonly layer: 'probes'; readonly problem: string }
  | {
      readonly layer: 'settings';
      /** Asked at each start of the target. */
      readonly settings: (context: FaultContext, stage: Stage) => Readonly<Record<string, string>>;
    };

export interface FaultContext {
  readonly canaries: Canaries;
  readonly urls: Readonly<Record<ProviderId, string>>;
  readonly licenses: Licenses;
  /** Names a quotas file like that of the stage, with a budget of one request. */
  readonly scantQuotaFile: string;
  /** Names one with a budget of one request more. */
  readonly ampleQuotaFile: string;
}

/** Alters the HTTP/1.1 messages that pass; whatever it leaves alone passes unchanged. */
export interface ExchangeRewriter {
  request?(request: WireRequest): WireRequest;
  response?(head: WireResponseHead, request: WireRequest): ResponseRewrite | undefined;
  /** The server side is kept running when the client side has gone. */
  readonly outlivesClient?: boolean;
}

export interface WireRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderPairs;
  readonly body: Buffer;
}

export interface WireResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderPairs;
}

export interface ResponseRewrite {
  readonly head?: WireResponseHead;
  /** Called with each piece of body as it arrives; returns what goes on in its place. */
  piece?(bytes: Buffer): readonly Buffer[];
  /** Called once at the end: what is still to be said, and whether a cut is passed on as one (default) or dressed up as a clean end. */
  end?(cut: boolean): { readonly pieces: readonly Buffer[]; readonly clean: boolean };
}

/** What the target left behind, before anybody judges it. */
export interface ProxyRecords {
  /** Text files of the logs folder, by name relative to it. */
  readonly files: ReadonlyMap<string, string>;
  readonly store: KeptStore;
  readonly crashes: readonly Crash[];
  readonly lives: readonly RecordedLife[];
}

/** A life with all that it printed. */
export interface RecordedLife extends Omit<ProxyLife, 'licenseLines'> {
  readonly output: string;
}
