import type { RawProbeSpec, Suite } from '../src/runs/suite.ts';
import { FIDELITY } from './gates.ts';
import { HAIKU, SONNET } from './raw-probes.ts';

const BUDGET = 3;
/** For what nobody else may take; one of it is used in the first stage. */
const HARD = { lane: 'anthropic', model: 'sonnet', requests: 4 } as const;
/** Past the reset that `zai-1308-soon` states, and the second by which a stamp may be off. */
const PAST_RESET_MS = 4_500;

const haiku = { client: 'curl', model: HAIKU, op: 'stream' } as const;
const blocked = { ...haiku, lane: 'anthropic', decision: 'quota_block' } as const;
const tried = { ...haiku, lane: 'zai', decision: 'quota_warn_attempt', stages: ['hybrid'] } as const;
const limited = { ...haiku, lane: 'anthropic', decision: 'fallback_limit', stages: ['hybrid'] } as const;
const cooling = { ...haiku, lane: 'anthropic', decision: 'cooldown' } as const;

/** Three of them find room; the others are answered with an error, as nobody takes over. */
const crowded = {
  client: 'curl',
  model: SONNET,
  lane: 'anthropic',
  op: 'stream',
  mayFail: true,
  stages: ['hard'],
} as const;

const probes: readonly RawProbeSpec[] = [
  { ...haiku, id: 'within', lane: 'zai', times: BUDGET, stages: ['block'] },
  { ...blocked, id: 'beyond', times: 2, stages: ['block'] },
  { client: 'curl', id: 'sonnet', model: SONNET, lane: 'anthropic', op: 'stream', stages: ['block'] },
  { ...blocked, id: 'still-beyond', stages: ['block-again'] },
  { ...tried, id: 'tried' },
  { ...limited, id: 'limited', scenario: { provider: 'zai', name: 'zai-1308-soon' } },
  { ...cooling, id: 'cooling', stages: ['hybrid'] },
  { ...tried, id: 'tried-again', afterMs: PAST_RESET_MS },
  { ...limited, id: 'limited-again', scenario: { provider: 'zai', name: 'zai-1308-2026' } },
  { ...cooling, id: 'still-cooling', stages: ['hybrid-again'] },
  { ...crowded, id: 'crowd', times: 8, together: true },
  { ...crowded, id: 'stopped', op: 'nonstream', decision: 'quota_block' },
];

export const quota: Suite = {
  name: 'quota',
  title: 'A budget of three requests, and a lane with a limit of its own; the proxy is restarted in between',
  proves: [
    'Of eight requests at once a hard budget let as many through as it had room for; the others were told when to come back.',
    'The lane got exactly what its budget holds; the rest went to Anthropic as quota_block, also after a restart.',
    'In mode hybrid the lane was tried until it stated its own limit, then left alone until the reset that it had stated.',
  ],
  quota: { lane: 'zai', model: 'haiku', requests: BUDGET },
  stages: [
    { name: 'block', license: 'trial', mode: 'block' },
    { name: 'block-again', license: 'trial', mode: 'block' },
    { name: 'hybrid', license: 'trial', mode: 'hybrid' },
    { name: 'hybrid-again', license: 'trial', mode: 'hybrid' },
    { name: 'hard', license: 'trial', mode: 'block', quota: HARD },
  ],
  probes,
  inOrder: true,
  timeoutMs: 60_000,
  settings: {},
  checks: [
    'ROUTE-01',
    ...FIDELITY.filter((id) => id !== 'TOKENS-02'),
    'HEADER-03',
    'READY-01',
    'LANES-01',
    'LICENSE-01',
    'QUOTA-01',
    'QUOTA-02',
    'QUOTA-03',
    'RESTART-01',
  ],
  artifacts: { name: 'quota' },
};
