import type { Suite } from '../src/runs/suite.ts';
import { FIDELITY } from './gates.ts';

/** What every round of raw requests is judged by: no Claude Code is among them. */
const ROUND = [
  'ROUTE-01',
  ...FIDELITY.filter((id) => id !== 'TOKENS-02'),
  'HEADER-03',
  'STREAM-03',
  'READY-01',
  'LANES-01',
  'LICENSE-01',
  'LICENSE-02',
  'PERSIST-01',
];

export const overnight: Suite = {
  name: 'overnight',
  title: 'Round after round over both lanes, HTTP/1.1 and HTTP/2 in turn, each judged as it ends',
  proves: [
    'In no round an exchange was lost, and clients, proxy and upstreams told one account of each.',
    'From the first round to the last memory, open files, sockets and latency stayed within noise, and the proxy never died of itself.',
  ],
  probes: [],
  onlyNamed: true,
  driver: {
    kind: 'overnight',
    maxMs: 1_800_000,
    pauseMs: 2_000,
    roundMs: 75_000,
    perRound: 150,
    width: 4,
    until: 'red',
    chaos: false,
    clients: 'raw',
    toggles: true,
    roundChecks: ROUND,
  },
  timeoutMs: 60_000,
  // An upstream that falls silent is to be noticed within the round, and one that is slow is not to be taken for it.
  settings: { CCP_SSE_IDLE_TIMEOUT: '4s' },
  checks: ['NIGHT-01', 'NIGHT-02', 'NIGHT-03', 'NIGHT-04', 'NIGHT-05', 'NIGHT-06', 'NIGHT-07', 'NIGHT-08'],
  artifacts: { name: 'overnight_final', perRun: { folder: 'overnight', file: 'NIGHT.json' } },
};
