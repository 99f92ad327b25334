import { NO_DIVERSIONS } from '../protocol/meter.ts';
import type { Store } from './store.ts';

/** Stands in where nothing is to be kept (`CCP_PERSIST=0`): takes everything, keeps nothing, touches no file. */
export function createNoStore(path: string): Store {
  const nothing = { writes: 0, writeErrors: 0, dropped: 0, begunAnew: 0, pending: 0, bytes: 0 };
  const empty = { schema_version: 0, bytes: 0, samples: 0, oldest: null, newest: null, pending: 0 };
  return {
    onCompletion: () => {},
    saveCooldown: () => {},
    saveLimitHit: () => {},
    cooldowns: async () => [],
    limitHits: async () => [],
    history: async () => ({ uses: [], next_cursor: null }),
    samples: async () => ({ samples: [], next_cursor: null }),
    diversions: async () => NO_DIVERSIONS,
    rollups: async () => [],
    spans: async () => [],
    hoursOf: async () => [],
    knowsLane: async () => false,
    status: async () => ({ path, ...empty, writes: 0, write_errors: 0, trouble: SWITCHED_OFF }),
    flush: async () => {},
    health: () => ({ ok: true, reason: SWITCHED_OFF, remedy: SWITCH_ON, path: null, pending: 0 }),
    metrics: () => nothing,
    [Symbol.asyncDispose]: async () => {},
  };
}

const SWITCHED_OFF = 'switched off (CCP_PERSIST=0)';
const SWITCH_ON = 'Start ccp with CCP_PERSIST=1 to have exchanges kept and counted.';
