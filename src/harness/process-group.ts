/**
 * Child processes as groups: what a child starts dies with it. Every child is the leader of a process group
 * of its own; ending the child means ending the group, whatever its members do with signals or with the
 * output pipe that they inherited.
 */
import type { ChildProcess } from 'node:child_process';
import { execa } from 'execa';
import { OperatorError } from '../errors.ts';
import { callGuardian, type Guardian } from './guardian.ts';
import { createTail } from './tail.ts';

export interface GroupOptions {
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Aborting stops the group. */
  readonly signal?: AbortSignal | undefined;
  /** Kept of each channel, the oldest dropped; default 4 MiB. */
  readonly maxOutputBytes?: number;
  /** From SIGTERM to SIGKILL; default 5 s. */
  readonly graceMs?: number;
}

export interface GroupExit {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessGroup extends AsyncDisposable {
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Both channels in order of arrival. */
  readonly output: () => string;
  /** Resolves once the leader ended and its group was killed; never rejects. */
  readonly exited: Promise<GroupExit>;
  /** Signals every member; a group that is gone is no error. */
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, after the grace SIGKILL; resolves when the group is gone. */
  stop(): Promise<GroupExit>;
}

const DEFAULT_OUTPUT_BYTES = 4 * 1024 * 1024;
const DEFAULT_GRACE_MS = 5000;
/** How long a pipe may stay open after everybody who could write to it was killed. */
const DRAIN_MS = 500;

/**
 * Starts a group. Should this process end first, by whatever means, the group is killed with it.
 * Rejects with NOT_READY where the program cannot be started.
 */
export async function startGroup(options: GroupOptions): Promise<ProcessGroup> {
  options.signal?.throwIfAborted();
  const guardian = callGuardian();
  const child = execa(options.file, options.args, {
    env: options.env,
    extendEnv: false,
    cwd: options.cwd,
    stdin: 'ignore',
    buffer: false,
    reject: false,
    detached: true,
    // Its handlers would end this process on the first SIGINT, before an orderly end could be made.
    cleanup: false,
  });
  const { pid } = child;
  if (pid === undefined) {
    const { shortMessage } = await child;
    throw new OperatorError('NOT_READY', `${options.file} cannot be started: ${shortMessage}`);
  }
  guardian.watch(pid);
  return supervise({ child: child.nodeChildProcess, pid, guardian, options });
}

/** Runs a group to its end, or until `timeoutMs` is over. Rejects with NOT_READY where it cannot be started. */
export async function runGroup({
  timeoutMs,
  ...options
}: GroupOptions & { readonly timeoutMs: number }): Promise<
  GroupExit & {
    readonly stdout: string;
    readonly stderr: string;
    readonly timedOut: boolean;
    readonly ms: number;
  }
> {
  const startedAt = performance.now();
  await using group = await startGroup(options);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    void group.stop();
  }, timeoutMs);
  const exit = await group.exited;
  clearTimeout(timer);
  return {
    ...exit,
    stdout: group.stdout(),
    stderr: group.stderr(),
    timedOut,
    ms: performance.now() - startedAt,
  };
}

interface Supervised {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly guardian: Guardian;
  readonly options: GroupOptions;
}

function supervise({ child, pid, guardian, options }: Supervised): ProcessGroup {
  const limit = options.maxOutputBytes ?? DEFAULT_OUTPUT_BYTES;
  const [stdout, stderr, output] = [createTail(limit), createTail(limit), createTail(limit)];
  for (const [stream, own] of [
    [child.stdout, stdout],
    [child.stderr, stderr],
  ] as const) {
    stream?.on('data', (bytes: Buffer) => {
      own.push(bytes);
      output.push(bytes);
    });
  }

  let gone = false;
  // Once it is gone, its number may be somebody else's.
  const kill = (signal: NodeJS.Signals) => {
    if (!gone) signalGroup(pid, signal);
  };
  const exited = ended(child, () => {
    kill('SIGKILL');
    gone = true;
    guardian.forget(pid);
  });
  const stop = async () => {
    kill('SIGTERM');
    const timer = setTimeout(() => kill('SIGKILL'), options.graceMs ?? DEFAULT_GRACE_MS);
    const exit = await exited;
    clearTimeout(timer);
    return exit;
  };
  stopOnAbort(options.signal, exited, stop);
  return {
    pid,
    stdout: stdout.text,
    stderr: stderr.text,
    output: output.text,
    exited,
    kill,
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

/** Waits for the leader rather than for the pipes: a grandchild may hold those for ever. */
async function ended(child: ChildProcess, killRest: () => void): Promise<GroupExit> {
  // Asked for before the exit: both events may come in one tick.
  const drained = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const exit = await new Promise<GroupExit>((resolve) =>
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal })),
  );
  killRest();
  const timer = setTimeout(() => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }, DRAIN_MS);
  await drained;
  clearTimeout(timer);
  return exit;
}

function stopOnAbort(
  signal: AbortSignal | undefined,
  exited: Promise<unknown>,
  stop: () => Promise<unknown>,
) {
  if (signal === undefined) return;
  const onAbort = () => void stop();
  signal.addEventListener('abort', onAbort, { once: true });
  void exited.then(() => signal.removeEventListener('abort', onAbort));
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
