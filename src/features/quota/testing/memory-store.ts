import { isCharged, wasTried } from '../../../protocol/charged.ts';
import {
  type Cooldown,
  type LimitHit,
  type MeterStore,
  NO_DIVERSIONS,
  type Sample,
} from '../../../protocol/meter.ts';

/** A store that lives as long as a test, held to what is true of the real one by `src/config/meter-store.test.ts`. Pages of two. */
export interface MemoryStore extends MeterStore {
  readonly kept: Sample[];
  readonly hits: LimitHit[];
  /** All that were saved, in order. */
  readonly cool: Cooldown[];
  /** Called before each page, to be waited for. */
  onPage: () => Promise<void> | void;
}

const PAGE = 2;

export function createMemoryStore(kept: Sample[] = []): MemoryStore {
  const store: MemoryStore = {
    kept,
    hits: [],
    cool: [],
    onPage: () => {},
    saveCooldown: (cooldown) => void store.cool.push(cooldown),
    saveLimitHit: (hit) => void store.hits.push(hit),
    cooldowns: async () => [...new Map(store.cool.map((one) => [`${one.lane} ${one.key}`, one])).values()],
    limitHits: async () => store.hits,
    async history({ since, lanes, cursor }) {
      await store.onPage();
      const found = kept
        .filter(({ ts, lane }) => ts >= since && lanes.includes(lane))
        .filter(({ op, attempts, reason }) => isCharged(op) && wasTried(attempts, reason))
        .toSorted((a, b) => b.ts - a.ts);
      const [from, to] = [Number(cursor ?? 0), Number(cursor ?? 0) + PAGE];
      return { uses: found.slice(from, to), next_cursor: to < found.length ? String(to) : null };
    },
    samples: async () => ({ samples: [], next_cursor: null }),
    diversions: async () => NO_DIVERSIONS,
    rollups: async () => [],
    spans: async () => [],
    hoursOf: async () => [],
    knowsLane: async () => true,
    status: async () => ({
      path: '',
      schema_version: 1,
      bytes: 0,
      samples: kept.length,
      oldest: null,
      newest: null,
      pending: 0,
      writes: 0,
      write_errors: 0,
      trouble: null,
    }),
    flush: async () => {},
  };
  return store;
}
