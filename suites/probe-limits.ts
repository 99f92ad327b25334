import type { Suite } from '../src/runs/suite.ts';
import { FIDELITY } from './gates.ts';

export const probeLimits: Suite = {
  name: 'probe-limits',
  title: 'One small request after the other, until the lane says that its window is used up',
  proves: ['The limit was met, it stated when the window opens again, and nothing was sent after it.'],
  probes: [],
  driver: { kind: 'limits', lane: 'zai', maxRequests: 100, mockWindow: 25 },
  timeoutMs: 60_000,
  // A refusal must reach the client, and nobody else be asked in its stead.
  settings: { CCP_FALLBACK: 'none', CCP_REROUTE_MODE: 'off' },
  checks: [
    'LIMIT-01',
    ...FIDELITY.filter((id) => id !== 'HEADER-01' && !id.startsWith('STREAM') && id !== 'TOKENS-02'),
  ],
  artifacts: { name: 'limit_probe', report: 'GLM_LIMIT_PROBE.md' },
};
