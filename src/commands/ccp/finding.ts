/** What `ccp doctor` found. */
import { OperatorError } from '../../errors.ts';

export interface Finding {
  readonly level: 'ok' | 'note' | 'problem';
  readonly what: string;
  readonly remedy?: string;
}

export type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly finding: Finding };

/** Looks at something; what goes wrong by the way is a finding, too. */
export async function attempt<T>(look: () => T | Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await look() };
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const hint = error instanceof OperatorError ? error.hint : undefined;
    return { ok: false, finding: { level: 'problem', what, ...(hint !== undefined && { remedy: hint }) } };
  }
}
