/** An error on its way between threads; apart from what makes one, which loads SQLite. */
import { type ErrorCode, OperatorError } from '../errors.ts';

export interface Failure {
  readonly message: string;
  readonly hint: string | undefined;
  /** Of an error that is nobody's bug. */
  readonly code: ErrorCode | null;
}

/** The error that a failure was. */
export function errorOf({ code, message, hint }: Failure): Error {
  if (code === null) return new Error(message);
  return new OperatorError(code, message, hint === undefined ? {} : { hint });
}
