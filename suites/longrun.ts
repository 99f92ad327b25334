import type { Suite } from '../src/runs/suite.ts';
import { CLIENT_ROUND } from './client-round.ts';

export const longrun: Suite = {
  name: 'longrun',
  title: 'One client, haiku and sonnet in turn, round after round through one proxy',
  proves: [
    'One client got every answer, round after round, and but for noise the proxy took no more at the end than at the beginning.',
  ],
  probes: [],
  onlyNamed: true,
  driver: {
    kind: 'overnight',
    maxMs: 1_500_000,
    pauseMs: 1_000,
    roundMs: 0,
    perRound: 4,
    width: 1,
    maxRounds: 5,
    until: 'time',
    chaos: false,
    clients: 'claude',
    toggles: false,
    roundChecks: CLIENT_ROUND,
  },
  timeoutMs: 60_000,
  settings: {},
  checks: ['NIGHT-01', 'NIGHT-02', 'NIGHT-03', 'NIGHT-04', 'NIGHT-05', 'NIGHT-07'],
  artifacts: { name: 'longrun' },
};
