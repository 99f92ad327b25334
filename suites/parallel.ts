import type { Suite } from '../src/runs/suite.ts';
import { CLIENT_ROUND } from './client-round.ts';

export const parallel: Suite = {
  name: 'parallel',
  title: 'Several clients at once, haiku and sonnet in turn',
  proves: ['Clients that work at the same time each get their own answer, from the lane of their model.'],
  probes: [],
  onlyNamed: true,
  driver: {
    kind: 'overnight',
    maxMs: 300_000,
    pauseMs: 1_000,
    roundMs: 0,
    perRound: 4,
    width: 4,
    maxRounds: 1,
    until: 'red',
    chaos: false,
    clients: 'claude',
    toggles: false,
    roundChecks: CLIENT_ROUND,
  },
  timeoutMs: 120_000,
  settings: {},
  checks: ['NIGHT-01', 'NIGHT-02', 'NIGHT-03', 'NIGHT-07', 'NIGHT-09'],
  artifacts: { name: 'parallel' },
};
