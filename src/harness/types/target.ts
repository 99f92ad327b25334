/** What is under test, as a world starts it and asks it. */
import type { ProcessGroup } from '../process-group.ts';

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
  /** One GET of an endpoint of its own; by default with no headers but those that HTTP wants. */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<EndpointReply>;
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
