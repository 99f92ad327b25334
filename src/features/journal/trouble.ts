import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';

/** Told of something that went wrong with a record: what in a few fixed words, the error behind it, and what to do. */
export type Trouble = (what: string, error: unknown, remedy?: string) => void;

/** A full disk fails every line: the operator hears of it once, not ten thousand times. */
const QUIET_MS = 60_000;

/**
 * Counts troubles and warns of each kind at most once a minute, with how often it happened since the start.
 * Records must never harm an exchange, so this is all that comes of a failed one.
 */
export function createTrouble({ log, clock }: { readonly log: Log; readonly clock: Clock }): Trouble {
  const kinds = new Map<string, { times: number; toldAt: number }>();

  return (what, error, remedy) => {
    const kind = kinds.get(what) ?? { times: 0, toldAt: Number.NEGATIVE_INFINITY };
    kinds.set(what, kind);
    kind.times += 1;
    const now = clock.monotonic();
    if (now - kind.toldAt < QUIET_MS) return;
    kind.toldAt = now;
    const reason = error instanceof Error ? error.message : String(error);
    const often = kind.times === 1 ? '' : ` (${kind.times} times since start)`;
    log.warn(`${what}: ${reason}${often}${remedy === undefined ? '' : `. ${remedy}`}`);
  };
}
