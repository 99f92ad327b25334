import type { Suite } from '../src/runs/suite.ts';
import { FIDELITY } from './gates.ts';
import { HAIKU, SONNET } from './raw-probes.ts';

export const smokeLicense: Suite = {
  name: 'smoke-license',
  title:
    'The licence opens the Z.AI lane, and nothing else does: community, trial, community, and wrong ones',
  proves: [
    'With the trial haiku went to Z.AI; before it, after it and with a wrong one each went to Anthropic as license_block.',
    'Sonnet went to Anthropic throughout.',
    'Start-up line, /readyz, metrics and `ccp license status` told the same each time, and why a licence did not count.',
  ],
  stages: [
    { name: 'community', license: 'none' },
    { name: 'trial', license: 'trial', by: 'command' },
    { name: 'community-again', license: 'none', by: 'command' },
    { name: 'tampered', license: 'tampered' },
    { name: 'expired', license: 'expired' },
    { name: 'wrong-kid', license: 'wrong-kid' },
    { name: 'unsigned', license: 'unsigned' },
  ],
  probes: [
    { client: 'curl', id: 'haiku', model: HAIKU, lane: 'zai', op: 'stream' },
    { client: 'curl', id: 'sonnet', model: SONNET, lane: 'anthropic', op: 'stream' },
    { client: 'claude', id: 'claude-haiku', model: 'haiku', lane: 'zai', stages: ['community', 'trial'] },
  ],
  timeoutMs: 60_000,
  settings: {},
  checks: [
    'ROUTE-01',
    ...FIDELITY,
    'HEADER-03',
    'READY-01',
    'LANES-01',
    'LICENSE-01',
    'LICENSE-02',
    'RESTART-01',
  ],
  artifacts: { name: 'smoke_license' },
};
