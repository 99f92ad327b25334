/** A thread of its own that reads a large store to its end, beside the work, and says what is wrong with it. */
import { parentPort, workerData } from 'node:worker_threads';
import { inodeOf } from './damage.ts';
import { check, isDamage, openForReading } from './database.ts';
import type { Damage } from './keeper.ts';
import type { ThreadData } from './thread.ts';

const { path }: ThreadData = workerData;
parentPort?.postMessage(damageOf(path));

/** Null also where it cannot be told: then those who write will hear it. */
function damageOf(file: string): Damage | null {
  const inode = inodeOf(file);
  try {
    const db = openForReading(file);
    try {
      check(db);
    } finally {
      db.close();
    }
    return null;
  } catch (error) {
    return inode !== null && isDamage(error) && error instanceof Error
      ? { problem: error.message, inode }
      : null;
  }
}
