import { OperatorError } from '../errors.ts';
import type { Log } from '../platform/log.ts';

/** What is asked of the file; a trouble of one kind ends when that kind works again, or when a write does. */
export type Deed = 'open' | 'write' | 'read' | 'tend';

export interface Trouble {
  /** Tells the operator, unless it is what was told last. */
  failed(deed: Deed, error: unknown): void;
  worked(deed: Deed): void;
  /** Why something cannot be done, and what to do; null while all is well. */
  state(): TroubleState | null;
}

export interface TroubleState {
  /** A sentence without its full stop. */
  readonly reason: string;
  /** A whole sentence; null where none is known. */
  readonly remedy: string | null;
}

const FAILING: Readonly<Record<Deed, string>> = {
  open: 'keeps nothing for now, and quotas count only this run',
  write: 'keeps nothing for now',
  read: 'cannot be read for now',
  tend: 'adds nothing up for now',
};

/** Exchanges by the thousand fail on a full disk: the operator hears of it once, and once more when it is over. */
export function createTrouble(log: Log): Trouble {
  const troubles = new Map<Deed, TroubleState>();
  let told: { readonly reason: string; readonly kept: boolean } | null = null;
  return {
    failed(deed, error) {
      const reason = error instanceof Error ? error.message : String(error);
      const remedy = (error instanceof OperatorError ? error.hint : undefined) ?? null;
      const kept = deed === 'read' || deed === 'tend';
      troubles.set(deed, { reason, remedy });
      const known = told?.reason === reason && (kept || !told.kept);
      if (known) return;
      log.warn(`the store ${FAILING[deed]}: ${reason}${remedy === null ? '' : `. ${remedy}`}`);
      told = { reason, kept };
    },
    worked(deed) {
      if (told === null) return;
      if (deed === 'write') troubles.clear();
      // Whatever works, works on an open file.
      for (const over of [deed, 'open'] as const) troubles.delete(over);
      if (troubles.size > 0) return;
      told = null;
      log.info('the store works again');
    },
    state: () => [...troubles.values()][0] ?? null,
  };
}
