/** A thread of its own that reads a large store to its end, beside the work, and says what is wrong with it. */
import { parentPort, workerData } from 'node:worker_threads';
import { check, isDamage, openForReading } from './database.ts';
import type { ThreadData } from './thread.ts';

const { path }: ThreadData = workerData;
parentPort?.postMessage(problemOf(path));

/** Null also where it cannot be told: then those who write will hear it. */
function problemOf(file: string): string | null {
  try {
    const db = openForReading(file);
    try {
      check(db);
    } finally {
      db.close();
    }
    return null;
  } catch (error) {
    return isDamage(error) && error instanceof Error ? error.message : null;
  }
}
