/**
 * The one catalogue of what can go wrong for an operator. A command translates it to an exit code in one
 * place; what a client of the proxy gets is an Anthropic error body, made in `protocol/error-body.ts`.
 */

/** Exit codes of both programs. */
export const EXIT = { ok: 0, failed: 1, usage: 2, notReady: 3, interrupted: 130 } as const;

const CATALOGUE = {
  /** The command line is wrong. */
  USAGE: EXIT.usage,
  /** A setting, a catalog or another configuration file is wrong. */
  CONFIG: EXIT.usage,
  /** A verification found something. */
  CHECK_FAILED: EXIT.failed,
  /** The port is taken, a program is missing, a peer does not answer. */
  NOT_READY: EXIT.notReady,
  /** The person, or a signal, ended it. */
  INTERRUPTED: EXIT.interrupted,
} as const;

export type ErrorCode = keyof typeof CATALOGUE;

/** An error that is nobody's bug: shown as `message` and `hint`, without a stack trace. */
export class OperatorError extends Error {
  readonly code: ErrorCode;
  /** What to do about it, one sentence. */
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'OperatorError';
    this.code = code;
    this.hint = options.hint;
  }

  get exitCode(): number {
    return CATALOGUE[this.code];
  }
}

/** What a file system answers when a person's folder or disk is in the way. Not ENOENT: that is mostly our slip. */
const IN_THE_WAY: ReadonlySet<unknown> = new Set(
  'EACCES EPERM EROFS EEXIST ENOTDIR EISDIR ENAMETOOLONG ELOOP ENOSPC EDQUOT'.split(' '),
);

/** Where those above it were made, too, this is no slip: the place takes no folders, as /proc does not. */
const takesNoFolder = (error: Error): boolean =>
  'code' in error && error.code === 'ENOENT' && 'syscall' in error && error.syscall === 'mkdir';

/** The place as the person named it, and what to name in its stead, where that is known. */
export interface NamedPlace {
  /** Absolute. */
  readonly place: string;
  readonly hint: string;
}

/** The sentence for a path that cannot be used, as an error that is nobody's bug; null for any other error. */
export function pathTrouble(error: unknown, named?: NamedPlace): OperatorError | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  if (!('path' in error) || typeof error.path !== 'string') return null;
  if (takesNoFolder(error)) {
    const path = named?.place ?? error.path;
    return new OperatorError('NOT_READY', `${path} cannot be made: the system has no folders there`, {
      hint: named?.hint ?? 'Name a place on a disk.',
      cause: error,
    });
  }
  if (!IN_THE_WAY.has(error.code)) return null;
  return new OperatorError(
    'NOT_READY',
    `${named?.place ?? error.path} cannot be used: ${systemReason(error)}`,
    {
      ...(named !== undefined && { hint: named.hint }),
      cause: error,
    },
  );
}

/** What the system says is wrong, in its own few words, e.g. `permission denied`; of any other error all that it says. */
export const systemReason = ({ message }: Error): string => /^[A-Z]+: ([^,]+)/.exec(message)?.[1] ?? message;
