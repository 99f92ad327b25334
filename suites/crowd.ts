import type { RawProbeSpec, Suite } from '../src/runs/suite.ts';
import { FIDELITY } from './gates.ts';
import { HAIKU, SONNET } from './raw-probes.ts';

/** Three of each kind on each lane make one round: a third whole, a third left, a third broken upstream. */
const ROUNDS = 83;
const BREAKS = ['truncated', 'rst-internal-midbody', 'rst-cancel-midbody'] as const;

const lanes = [
  { client: 'curl', model: SONNET, lane: 'anthropic', op: 'stream', times: ROUNDS },
  { client: 'curl', model: HAIKU, lane: 'zai', op: 'stream', times: ROUNDS },
] as const;

export const crowd: Suite = {
  name: 'crowd',
  title: 'Five hundred exchanges at once, a third left by their clients and a third broken upstream',
  proves: [
    'Each exchange keeps its own bytes, lane, tokens and record, whatever happens to its neighbours.',
    'Clients, proxy and upstreams tell one account of all of them.',
  ],
  probes: lanes.flatMap((all, at): RawProbeSpec[] => [
    { ...all, id: `whole-${all.lane}`, scenario: 'paced' },
    { ...all, id: `left-${all.lane}`, scenario: 'paced', leaveAfterBytes: 700 + 400 * at },
    { ...all, id: `broken-${all.lane}`, scenario: BREAKS[at] ?? 'truncated', mayFail: true },
  ]),
  crowded: true,
  timeoutMs: 60_000,
  settings: {},
  checks: [...FIDELITY.filter((id) => id !== 'TOKENS-02'), 'HEADER-03', 'LICENSE-01'],
  artifacts: { name: 'crowd' },
};

/** Five thousand exchanges and more. */
const WAVES = 11;

export const crowdWaves: Suite = {
  ...crowd,
  name: 'crowd-waves',
  title: 'Eleven crowds of five hundred through one proxy, one after the other: 5,478 exchanges',
  proves: [
    ...crowd.proves,
    'Log, store, rollups, /v1/usage and /metrics of one proxy are still exact after all of them.',
  ],
  probes: crowd.probes.map((probe) => ({ ...probe, times: ROUNDS * WAVES })),
  ofEachAtOnce: ROUNDS,
  // One process plays all clients and upstreams: that it is kept waiting for a core is no failure of a lane.
  settings: { CCP_DIAL_TIMEOUT: '60s', CCP_TLS_TIMEOUT: '60s' },
  onlyNamed: true,
  artifacts: { name: 'crowd_waves' },
};
