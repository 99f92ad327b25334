import type { Suite } from '../src/runs/suite.ts';
import { FIDELITY } from './gates.ts';

export const sonnetAnth: Suite = {
  name: 'sonnet-anth',
  title: 'One sonnet call of Claude Code, through to Anthropic',
  proves: ["Claude Code's sonnet call went to Anthropic with the client's own credential, unchanged."],
  probes: [{ client: 'claude', id: 'claude-sonnet', model: 'sonnet', lane: 'anthropic' }],
  timeoutMs: 60_000,
  settings: {},
  checks: [...FIDELITY, 'HEADER-03'],
  showsAnswers: true,
  artifacts: { name: 'sonnet_anth' },
};
