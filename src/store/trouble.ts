import { OperatorError } from '../errors.ts';
import type { Log } from '../platform/log.ts';

/** What is asked of the file; a trouble of one kind ends when that kind works again, or when a write does. */
export type Deed = 'open' | 'write' | 'read' | 'tend';

export interface Trouble {
  /** Tells the operator, unless it is what was told last. */
  failed(deed: Deed, error: unknown): void;
  worked(deed: Deed): void;
  /** Why nothing can be kept; null while all is well. */
  sentence(): string | null;
}

/** Exchanges by the thousand fail on a full disk: the operator hears of it once, and once more when it is over. */
export function createTrouble(log: Log): Trouble {
  const troubles = new Map<Deed, string>();
  let told: string | null = null;
  return {
    failed(deed, error) {
      const said = error instanceof Error ? error.message : String(error);
      const hint = error instanceof OperatorError && error.hint !== undefined ? `. ${error.hint}` : '';
      troubles.set(deed, said);
      if (said !== told) log.warn(`the store keeps nothing for now: ${said}${hint}`);
      told = said;
    },
    worked(deed) {
      if (told === null) return;
      if (deed === 'write') troubles.clear();
      else troubles.delete(deed);
      if (troubles.size > 0) return;
      told = null;
      log.info('the store keeps again what comes');
    },
    sentence: () => [...troubles.values()][0] ?? null,
  };
}
