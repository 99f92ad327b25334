/** Everything that a run needs around it: what it is made from, what can be done in it, what it is given. */
import type { Transcript } from '../../protocol/transcript.ts';
import type {
  Canary,
  Collected,
  CrashLoad,
  ExpectedDecision,
  GivenLicense,
  GivenQuota,
  LicenseKind,
  ProbeResult,
  ProxyLife,
  RerouteMode,
  Slopes,
} from '../../protocol/witness.ts';
import type { ClaudeCredentials, ClaudeLookup, ClaudeRun, ProbeAnswer, ProbeRequest } from './client.ts';
import type { Fault, Saboteur } from './saboteur.ts';
import type { Target, TargetSpec } from './target.ts';

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
  /** Whether it had stood still for some time: it counts as killed when it did the last thing that is on record. */
  readonly hung?: boolean;
}

export interface Canaries {
  readonly anthropicKey: string;
  readonly anthropicOauth: string;
  readonly anthropicRefresh: string;
  readonly zaiKey: string;
  /** For `CCP_CLIENT_TOKEN` and `x-ccp-token`. */
  readonly clientToken: string;
  /** Sent by whoever mistypes a path beneath the target's own endpoints; allowed nowhere. */
  readonly strayKey: string;
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
