import type { Suite } from '../src/runs/suite.ts';

export const soakPersist: Suite = {
  name: 'soak-persist',
  title: 'Rounds of load, each ended by kill -9; the log closes the gaps that the kills left in the store',
  proves: [
    'After each kill -9 the store was sound, and lacked nothing that was older than one flush interval and its commit.',
    'No answer that a client had is missing from the log, and `ccp db import` made the store equal to it.',
    'Each restart rebuilt the quotas from the store.',
  ],
  probes: [],
  driver: { kind: 'soak', rounds: 3, roundMs: 2_000 },
  // Never used up: what is looked for is how much of it is used.
  quota: { lane: 'zai', model: 'haiku', requests: 1_000_000 },
  timeoutMs: 60_000,
  // The whole run must be in the log at its end.
  settings: { MAX_LOG_BYTES: '1GiB' },
  checks: [
    'PERSIST-01',
    'PERSIST-02',
    'PERSIST-03',
    'PERSIST-04',
    'PERSIST-05',
    'PERSIST-06',
    'STORE-01',
    'STORE-02',
    'USAGE-01',
    'LOG-01',
    'LOG-02',
    'HYGIENE-01',
    'HYGIENE-02',
  ],
  artifacts: { name: 'soak_persist' },
};
