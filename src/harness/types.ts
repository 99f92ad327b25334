/** The words that worlds, targets, clients and saboteurs share. Suites and runs build on these. */
import type { HeaderPairs, Transcript } from '../protocol/transcript.ts';
import type {
  Canary,
  Collected,
  Crash,
  CrashLoad,
  ExpectedDecision,
  GivenLicense,
  GivenQuota,
  KeptStore,
  LicenseKind,
  ProbeResult,
  ProxyLife,
  RerouteMode,
  Slopes,
} from '../protocol/witness.ts';
import type { ProcessGroup } from './process-group.ts';

export type { Collected, GivenLicense, LicenseKind } from '../protocol/witness.ts';

/** What is under test. */
export type TargetSpec =
  /** The `ccp` of this checkout. */
  | { readonly kind: 'builtin' }
  /** Something that runs already; it is neither started nor stopped, and none of its files are read. */
  | { readonly kind: 'url'; readonly url: string }
  /** A command line for `sh`, with `{port}` where the port to listen on goes. It gets the same environment as the built-in. */
  | { readonly kind: 'cmd'; readonly command: string };

/** A running proxy under test. Disposing of it stops it and waits until its whole process group is gone. */
export interface Target extends AsyncDisposable {
  readonly kind: TargetSpec['kind'];
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly url: string;
  /** Leader of its process group; null for a `url` target. */
  readonly pid: number | null;
  /** Where it writes its files; null for a `url` target. */
  readonly logsDir: string | null;
  readonly usageLogPath: string | null;
  /** What it printed so far, both channels in order of arrival, the oldest dropped beyond 4 MiB. */
  output(): string;
  /** Runs the `ccp` command in the same environment; null where the target is not the built-in one. */
  ccp(args: readonly string[]): Promise<CommandResult | null>;
  /** Starts a `ccp` command there and does not wait; throws where the target is not the built-in one. */
  startCcp(args: readonly string[]): Promise<ProcessGroup>;
  /** One GET of an endpoint of its own. */
  get(path: string): Promise<EndpointReply>;
  /** SIGTERM, then SIGKILL to the group after its grace. `exitCode` is null where a signal ended it. */
  stop(): Promise<{ readonly exitCode: number | null }>;
  /** Signals the whole group and does not wait. */
  kill(signal: NodeJS.Signals): void;
}

export interface CommandResult {
  /** Null where it was killed. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface EndpointReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How a Claude Code under test is logged in. Both are made up by the run. */
export type ClaudeCredentials =
  /** `ANTHROPIC_API_KEY`: sent as `x-api-key`. */
  | { readonly kind: 'key'; readonly key: string }
  /** A stored subscription login in the configuration folder: sent as a bearer. It also asks others about itself. */
  | {
      readonly kind: 'oauth';
      readonly token: string;
      readonly refreshToken: string;
      readonly outside: OutsideAccess;
    };

/** The way of a client to everybody who is no part of the run. */
export interface OutsideAccess {
  /** A forward proxy. */
  readonly proxyUrl: string;
  /** Absolute: the authority whose certificates it shows. */
  readonly caFile: string;
}

export type ClaudeLookup =
  | { readonly found: true; readonly path: string; readonly from: 'package' | 'path' }
  | { readonly found: false; readonly reason: string };

/** What one `claude -p` said of itself. */
export interface ClaudeRun {
  readonly startedAt: number;
  readonly ms: number;
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  /** Exit code 0 and `is_error: false`. `subtype` says "success" on API errors too, so it is not asked. */
  readonly ok: boolean;
  readonly text: string;
  readonly tokens?: NonNullable<ProbeResult['tokens']>;
  /** The whole JSON document, or null where there was none. */
  readonly report: Readonly<Record<string, unknown>> | null;
  readonly stderr: string;
  readonly reproduce: string;
}

/** A request of the raw client: nothing is added, reordered or normalised. */
export interface ProbeRequest {
  readonly method: string;
  /** The request target exactly as it goes on the request line. */
  readonly target: string;
  readonly headers: HeaderPairs;
  /** Pieces are written one by one, each after its delay in milliseconds. A string or buffer is one piece. */
  readonly body?: string | Buffer | readonly BodyPiece[];
  /** `chunked` frames each piece as one chunk and ends with the last chunk; `raw` (default) writes them as they are. */
  readonly framing?: 'raw' | 'chunked';
  /** Goes away on purpose. `reset` sends a RST, `close` a FIN. */
  readonly leave?: {
    readonly how: 'reset' | 'close';
    /** After so many response body bytes, */
    readonly afterBytes?: number;
    /** or so many milliseconds after the first byte was sent. */
    readonly afterMs?: number;
  };
  /** Reads at most `bytes` in every `everyMs`, so that the sender feels back-pressure. */
  readonly slowRead?: { readonly bytes: number; readonly everyMs: number };
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface BodyPiece {
  readonly bytes: string | Buffer;
  readonly afterMs?: number;
}

export interface ProbeAnswer {
  /** Bodies are always kept. */
  readonly transcript: Transcript;
  /** Statuses of the 1xx answers before the final one. */
  readonly informational: readonly number[];
  /** What made it end otherwise than complete. */
  readonly problem?: string;
}

/** An upstream mock as a world uses it. */
export interface UpstreamMock extends AsyncDisposable {
  /** `https://localhost:PORT`. */
  readonly url: string;
  transcripts(): readonly Transcript[];
  /** Resolves once no exchange is under way. */
  idle(): Promise<void>;
  openSockets(): number;
  /** Plays the named scenario for the next `times` message requests. */
  play(name: string, options: { readonly times: number }): void;
}

export type ProviderId = 'anth' | 'zai';

export interface WorldPlan {
  /** Absolute; what the world writes goes into a folder beneath, which is gone when it is disposed of. */
  readonly runDir: string;
  /** Same seed, same canaries and same upstream behaviour. */
  readonly seed: string;
  readonly target: TargetSpec;
  /** Default: mocks. The real ones are given real credentials, which are then the canaries to watch. */
  readonly upstream?: { readonly kind: 'mock' } | ({ readonly kind: 'real' } & RealCredentials);
  /** Further `CCP_*` settings of the target, over what the world sets itself. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A budget that the target is given in a quotas file. */
  readonly quota?: Omit<GivenQuota, 'mode'>;
  /** Whether the mocks keep the bodies that they see and send; default true. */
  readonly keepBodies?: boolean;
  /** Whether the mocks offer HTTP/2; default true. */
  readonly h2?: boolean;
  readonly saboteur?: Saboteur;
  /** Whether commands of the target are run, each a process of its own; default true. Without them it has none, like another program. */
  readonly commands?: boolean;
  /** What it begins with. */
  readonly stage: Stage;
  /** For the licence kind `env`: the caller's own, under the names of its settings. */
  readonly callersLicense?: Readonly<Record<string, string>>;
  /** Whether a Claude Code with a stored login will be run: what it needs takes half a second to start, beside the rest. */
  readonly storedLogin?: boolean;
  /** For whatever is started to become ready; default 15 s. */
  readonly readyTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A part of a run that one process of the target serves from its start to its end. */
export interface Stage {
  readonly name: string;
  readonly license: LicenseKind;
  /**
   * How the licence gets there: in the environment; by `ccp license set` or `logout`; or by `ccp license login` at an
   * issuer of the run's own. What a command stored stays for the stages after it.
   */
  readonly by: 'environment' | 'command' | 'login';
  /** What it does at the end of a budget; default `block`. */
  readonly mode?: RerouteMode;
  /** A budget in place of that of the world. */
  readonly quota?: Omit<GivenQuota, 'mode'>;
}

/** What can be given to a target for a licence, made for one run. */
export interface Licenses {
  /** `KID=BASE64`: the key that those of this run are signed by. */
  readonly publicKey: string;
  /** `KID=BASE64`: the secret that belongs to it, for an issuer of the run's own. */
  readonly seed: string;
  readonly given: (stage: Pick<Stage, 'license' | 'by'>) => GivenLicense;
  /** A pack as a file holds it. */
  readonly pack: (kind: Exclude<LicenseKind, 'env' | 'none'>) => string;
  /** The settings of a target that finds it in its environment. */
  readonly settings: (kind: LicenseKind) => Readonly<Record<string, string>>;
}

export interface RealCredentials {
  readonly anthropicKey: string;
  readonly zaiKey: string;
}

export interface ClaudeProbe {
  readonly id: string;
  /** An alias (`haiku`, `sonnet`) or a full model name. */
  readonly model: string;
  /** Where the contract says that this must go. */
  readonly expectedLane: string;
  readonly expectedDecision?: ExpectedDecision;
  readonly login: ClaudeCredentials['kind'];
  readonly timeoutMs: number;
  /** Put before the canary phrase of the probe; default "Say ok." */
  readonly prompt?: string;
}

export interface RawProbe {
  readonly id: string;
  readonly model: string;
  readonly expectedLane: string;
  readonly expectedDecision?: ExpectedDecision;
  /** Providers beside that of its lane which may see its prompt: those that it is expected to fall back from. */
  readonly mayPass?: readonly ProviderId[];
  readonly timeoutMs: number;
  /** What is sent, given the canary phrase; a `Host` header goes first where it names none. */
  readonly request: (canary: string) => Omit<ProbeRequest, 'timeoutMs'>;
}

/** Everything that a run needs around it, started, wired and disposed as one. */
export interface World extends AsyncDisposable {
  /** The one that runs now. */
  readonly target: Target;
  /** Real ones have no transcripts and play nothing. */
  readonly upstreams: Readonly<Record<ProviderId, UpstreamMock>>;
  /** Where the clients connect to: the recording relay in front of the target. */
  readonly clientUrl: string;
  readonly canaries: Canaries;
  readonly claude: ClaudeLookup;
  /** Runs the real client; rejects with NOT_READY where it is not found. */
  runClaude(probe: ClaudeProbe): Promise<ProbeResult & Pick<ClaudeRun, 'report'>>;
  runProbe(probe: RawProbe): Promise<ProbeResult & { readonly answer: ProbeAnswer }>;
  /**
   * Asks the target what it knows, ends it, and starts another for this stage: same home, same logs folder. `onEnded` is
   * given the account of the one that has ended before anything else can go wrong.
   */
  enter(stage: Stage, onEnded?: (life: ProxyLife) => void): Promise<void>;
  /** Ends the target with SIGKILL, looks at what it left behind, and starts another for this stage. */
  crash(stage: Stage, observed: Observed): Promise<void>;
  /** What was on the wire so far, of exchanges that have ended. */
  seen(): Pick<Collected, 'client' | 'upstream' | 'elsewhere'>;
  /** Gathers what all witnesses saw; call it when the last probe has ended, before disposal. */
  collect(): Promise<Collected>;
  /** The same again, with records that these faults have altered; after `collect` only. */
  retold(faults: readonly Fault[]): Collected;
}

/** What somebody outside noticed of a target up to its sudden end. */
export interface Observed {
  /** The `client_request_id` of each answer that a client had whole, given the time of the kill (epoch milliseconds). */
  readonly acknowledged: (killedAt: number) => readonly string[];
  /** What became of the load up to then; null where there was none. */
  readonly load: (killedAt: number) => CrashLoad | null;
  readonly slopes: Slopes | null;
}

export interface Canaries {
  readonly anthropicKey: string;
  readonly anthropicOauth: string;
  readonly anthropicRefresh: string;
  readonly zaiKey: string;
  /** For `CCP_CLIENT_TOKEN` and `x-ccp-token`. */
  readonly clientToken: string;
  /** What the run's own issuer hands a licence out for; allowed nowhere. */
  readonly inviteCode: string;
  /** 32 characters, whose bytes are the secret that the licences of the run are signed with; allowed nowhere. */
  readonly licenseSeed: string;
  /** The phrase of one probe, the same for the same id; it may appear on the wire of its lanes only. */
  prompt(probe: string, providers: readonly ProviderId[]): string;
  /** A secret that is not made up by the run, such as the target's control token or the caller's licence: allowed nowhere. */
  add(name: string, value: string): void;
  all(): readonly Canary[];
}

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
