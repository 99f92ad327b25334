import type { Suite } from '../src/runs/suite.ts';
import { FIDELITY } from './gates.ts';

export const haikuZai: Suite = {
  name: 'haiku-zai',
  title: 'One haiku call of Claude Code, through to Z.AI',
  proves: ["Claude Code's haiku call went to Z.AI with the Z.AI key, and with no credential of Anthropic."],
  probes: [{ client: 'claude', id: 'claude-haiku', model: 'haiku', lane: 'zai' }],
  timeoutMs: 60_000,
  settings: {},
  // Nothing in it concerns the Anthropic lane, so what judges that lane has nothing to see.
  checks: ['ROUTE-01', ...FIDELITY.filter((id) => id !== 'HEADER-01'), 'LICENSE-01'],
  showsAnswers: true,
  artifacts: { name: 'haiku_zai' },
};
