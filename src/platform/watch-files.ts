import { type BigIntStats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Once a second: soon enough for an edit, and one stat per file whatever the traffic. */
const EVERY_MS = 1000;

/**
 * Calls back after any of `paths` changed, appeared or went. By looking once a second rather than by
 * watching: a watch goes deaf when an editor renames a new file over the old one, and can't be set on a
 * folder that is not there yet. What cannot be looked at counts as absent. Never keeps the process alive; the result ends it.
 */
export function watchFiles(paths: readonly string[], onChange: () => void, everyMs = EVERY_MS): () => void {
  // Taken at once, so that no change can fall between the caller's own reading and the first look.
  let known = paths.map(statNow).map(fingerprint).join();
  let stopped = false;
  const look = async (): Promise<void> => {
    const found = await Promise.all(paths.map((path) => stat(path, { bigint: true }).catch(() => undefined)));
    if (stopped) return;
    const seen = found.map(fingerprint).join();
    const changed = seen !== known;
    known = seen;
    timer = setTimeout(() => void look(), everyMs).unref();
    if (changed) onChange();
  };
  let timer = setTimeout(() => void look(), everyMs).unref();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** What cannot be looked at, for whatever reason, is not there: it may come to be. */
function statNow(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

/** Differs whenever the content may: a rename brings another inode, an edit another change time. */
function fingerprint(stats: BigIntStats | undefined): string {
  return stats === undefined ? 'absent' : `${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
}
