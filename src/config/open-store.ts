/** The store from loaded settings, as the proxy keeps it; what the commands do with its file is in store-files.ts. */
import { join } from 'node:path';
import { createNoStore } from '../store/no-store.ts';
import { openStore as open, type Store, type StoreOptions } from '../store/store.ts';
import type { LoadedCcp } from './ccp-settings.ts';

/** What a kill may lose of the store as a rule, in milliseconds; the log has it. */
const FLUSH_MS = 200;

/** The store that the proxy writes; one that keeps nothing where `CCP_PERSIST` says so. */
export function openStore(
  { settings, paths }: LoadedCcp,
  ports: Pick<StoreOptions, 'clock' | 'log' | 'onOpen' | 'onRollup' | 'onMore'>,
): Store {
  if (!settings.persist) {
    ports.log.info('there is no store (CCP_PERSIST=0): usage counts nothing, quotas only this run');
    return createNoStore(paths.store);
  }
  return open({
    path: paths.store,
    usageLog: join(settings.logsDir, 'usage.jsonl'),
    flushMs: FLUSH_MS,
    ttlDays: settings.sampleTtlDays,
    rollupMs: settings.rollupInterval,
    ...ports,
  });
}
