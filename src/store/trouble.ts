import { OperatorError } from '../errors.ts';
import type { Log } from '../platform/log.ts';

/** What is asked of the file; a trouble of one kind ends when that kind works again, or when a write does. */
export type Deed = 'open' | 'write' | 'read' | 'tend';

export interface Trouble {
  /** Tells the operator, unless it is what was told last. */
  failed(deed: Deed, error: unknown): void;
  worked(deed: Deed): void;
  /** Why something cannot be done; null while all is well. */
  sentence(): string | null;
}

const FAILING: Readonly<Record<Deed, string>> = {
  open: 'keeps nothing',
  write: 'keeps nothing',
  read: 'cannot be read',
  tend: 'adds nothing up',
};

/** Exchanges by the thousand fail on a full disk: the operator hears of it once, and once more when it is over. */
export function createTrouble(log: Log): Trouble {
  const troubles = new Map<Deed, string>();
  let told: { readonly reason: string; readonly kept: boolean } | null = null;
  return {
    failed(deed, error) {
      const reason = error instanceof Error ? error.message : String(error);
      const hint = error instanceof OperatorError && error.hint !== undefined ? `. ${error.hint}` : '';
      const kept = deed === 'read' || deed === 'tend';
      troubles.set(deed, reason);
      const known = told?.reason === reason && (kept || !told.kept);
      if (known) return;
      log.warn(`the store ${FAILING[deed]} for now: ${reason}${hint}`);
      told = { reason, kept };
    },
    worked(deed) {
      if (told === null) return;
      if (deed === 'write') troubles.clear();
      else troubles.delete(deed);
      if (troubles.size > 0) return;
      told = null;
      log.info('the store works again');
    },
    sentence: () => [...troubles.values()][0] ?? null,
  };
}
