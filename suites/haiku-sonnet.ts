import type { Suite } from '../src/runs/suite.ts';
import { FIDELITY } from './gates.ts';

export const haikuSonnet: Suite = {
  name: 'haiku-sonnet',
  title: 'One haiku and one sonnet call of Claude Code, side by side',
  proves: ['Two calls at the same time went each to its own lane, each with its own credential.'],
  probes: [
    { client: 'claude', id: 'claude-haiku', model: 'haiku', lane: 'zai' },
    { client: 'claude', id: 'claude-sonnet', model: 'sonnet', lane: 'anthropic' },
  ],
  timeoutMs: 60_000,
  settings: {},
  checks: ['ROUTE-01', ...FIDELITY, 'HEADER-03', 'LICENSE-01'],
  showsAnswers: true,
  artifacts: { name: 'haiku_sonnet' },
};
