/** What can go wrong with the limits of the proxy itself. */
import type { Saboteur } from '../types/saboteur.ts';

const during = { suite: 'timeouts', stages: [] } as const;

export const TIMEOUT_SABOTEURS: readonly Saboteur[] = [
  {
    name: 'waits-forever',
    breaks: 'the proxy never gives up an upstream that answers nothing',
    faults: [{ layer: 'settings', settings: () => ({ CCP_HEADER_TIMEOUT: '10m' }) }],
    caughtBy: ['RUN-01', 'TIMEOUT-01'],
    during,
  },
  {
    name: 'idle-forever',
    breaks: 'the proxy never gives up a stream that falls silent',
    faults: [{ layer: 'settings', settings: () => ({ CCP_SSE_IDLE_TIMEOUT: '10m' }) }],
    caughtBy: ['RUN-01', 'TIMEOUT-01'],
    during,
  },
  {
    name: 'given-up-as-bad-gateway',
    breaks: 'a client whose upstream answered nothing in time is told 502',
    faults: [
      {
        layer: 'client',
        rewrite: () => ({
          response: (head) => (head.status === 504 ? { head: { ...head, status: 502 } } : undefined),
        }),
      },
    ],
    caughtBy: ['TIMEOUT-01'],
    during,
  },
];
