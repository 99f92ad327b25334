import { join } from 'node:path';
import type { ExchangeObserver, PartialSink } from '../../core/types.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { createLineFile } from './line-file.ts';
import { createPartials } from './partials.ts';
import { createTrouble } from './trouble.ts';

export interface JournalOptions {
  /** Made where it is missing, now or later. */
  readonly logsDir: string;
  /** `MAX_LOG_BYTES`. */
  readonly maxBytes: number;
  /** `CCP_LOG_MAX_AGE`, milliseconds. */
  readonly maxAgeMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Writes `usage.jsonl`, `anomalies.jsonl` and the partials. Nothing here throws or fails an exchange. */
export interface Journal extends ExchangeObserver {
  /** Rotates both logs; gives the new path of `usage.jsonl`, null where it was empty or could not be moved. */
  rotate(): { readonly rotatedTo: string | null };
  readonly partials: PartialSink;
  close(): void;
}

/** How long a decision or a start of a stream may wait for company, in milliseconds. */
const ANNOUNCE_MS = 100;

/** The proxy's records on disk: each event is one line, a completion written before the event loop turns (contract, 5). */
export function createJournal({ logsDir, maxBytes, maxAgeMs, clock, log }: JournalOptions): Journal {
  const trouble = createTrouble({ log, clock });
  const lines = (name: string) =>
    createLineFile({ path: join(logsDir, name), maxBytes, maxAgeMs, clock, trouble });
  const usage = lines('usage.jsonl');
  const anomalies = lines('anomalies.jsonl');
  // Lines of one turn of the event loop share a write: the system call costs more than they do. A completion
  // goes out with its own turn; what only says what is under way waits for company.
  let waiting: string[] = [];
  let announcing = false;
  let completing = false;
  const flush = (): void => {
    completing = false;
    if (waiting.length === 0) return;
    const text = waiting.join('\n');
    waiting = [];
    usage.append(text);
  };
  const announce = (event: object): void => {
    waiting.push(JSON.stringify(event));
    if (announcing) return;
    announcing = true;
    clock.after(ANNOUNCE_MS, () => {
      announcing = false;
      flush();
    });
  };

  usage.prepare();
  return {
    onDecision: announce,
    onStreamStart: announce,
    onCompletion(event) {
      waiting.push(JSON.stringify(event));
      if (completing) return;
      completing = true;
      setImmediate(flush);
    },
    onAnomaly: (anomaly) => anomalies.append(JSON.stringify(anomaly)),
    rotate() {
      flush();
      anomalies.rotate();
      return { rotatedTo: usage.rotate() };
    },
    partials: createPartials({ dir: join(logsDir, 'partials'), trouble }),
    close() {
      flush();
      usage.close();
      anomalies.close();
    },
  };
}
