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

/** The proxy's records on disk: each event is one line, written at the moment of the event (contract, 5). */
export function createJournal({ logsDir, maxBytes, maxAgeMs, clock, log }: JournalOptions): Journal {
  const trouble = createTrouble({ log, clock });
  const lines = (name: string) =>
    createLineFile({ path: join(logsDir, name), maxBytes, maxAgeMs, clock, trouble });
  const usage = lines('usage.jsonl');
  const anomalies = lines('anomalies.jsonl');
  const writeUsage = (event: object): void => usage.append(JSON.stringify(event));

  usage.prepare();
  return {
    onDecision: writeUsage,
    onStreamStart: writeUsage,
    onCompletion: writeUsage,
    onAnomaly: (anomaly) => anomalies.append(JSON.stringify(anomaly)),
    rotate() {
      anomalies.rotate();
      return { rotatedTo: usage.rotate() };
    },
    partials: createPartials({ dir: join(logsDir, 'partials'), trouble }),
    close() {
      usage.close();
      anomalies.close();
    },
  };
}
