/** Where we want to be, as data, and whether we are. */
import { cpuRatio, firstByteAdded, perStream, type Results } from './results.ts';

export interface Verdict {
  readonly target: string;
  /** Null where this run did not measure it. */
  readonly value: number | null;
  /** At most this, or with `atLeast` at least this. */
  readonly limit: number;
  readonly atLeast: boolean;
  readonly unit: string;
  readonly met: boolean | null;
}

interface Target {
  readonly target: string;
  readonly limit: number;
  readonly atLeast?: boolean;
  readonly unit?: string;
  value(results: Results): number | null;
}

const cpuOver = (work: string, to: string, limit: number): Target => ({
  target: `CPU per exchange, ${work}, 16 at once: ccp / ${to}`,
  limit,
  value: (results) => cpuRatio(results, { work, concurrency: 16, of: 'ccp', to })?.median ?? null,
});

const peerOver = (peer: string, work: string): Target => ({
  target: `CPU per exchange, ${work}, 16 at once: ${peer} / ccp`,
  limit: 8,
  atLeast: true,
  value: (results) => cpuRatio(results, { work, concurrency: 16, of: peer, to: 'ccp' })?.median ?? null,
});

const firstByte = (work: string): Target => ({
  target: `first byte added, ${work}, one at a time: ccp / nginx`,
  limit: 2,
  value(results) {
    const [ccp, nginx] = ['ccp', 'nginx'].map((contestant) => firstByteAdded(results, work, contestant));
    return ccp != null && nginx != null && nginx > 0 ? ccp / nginx : null;
  },
});

const memoryOf = (work: string, limit: number): Target => ({
  target: `memory over idle of one ${work} stream`,
  limit,
  unit: ' KB',
  value: (results) => perStream(results, work, 'ccp')?.median ?? null,
});

const TARGETS: readonly Target[] = [
  cpuOver('json-1k', 'node-pipe', 0.9),
  cpuOver('json-124k', 'node-pipe', 1.35),
  cpuOver('sse-1k', 'node-pipe', 0.45),
  cpuOver('sse-124k', 'node-pipe', 0.7),
  cpuOver('sse-124k', 'nginx', 3),
  ...['portkey', 'mitmproxy'].flatMap((peer) =>
    ['json-124k', 'sse-124k'].map((work) => peerOver(peer, work)),
  ),
  firstByte('json-124k'),
  firstByte('sse-124k'),
  memoryOf('slow-1k', 65),
  memoryOf('slow-124k', 100),
];

/** Every target with its measured value. */
export function judgeTargets(results: Results): Verdict[] {
  return TARGETS.map((entry) => {
    const { target, limit, atLeast = false, unit = '' } = entry;
    return verdictOf({ target, limit, atLeast, unit, value: entry.value(results) });
  });
}

/** Whether a measured value is where it should be. */
export const verdictOf = (measured: Omit<Verdict, 'met'>): Verdict => {
  const { value, limit, atLeast } = measured;
  return { ...measured, met: value === null ? null : atLeast ? value >= limit : value <= limit };
};
