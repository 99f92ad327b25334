import type { Suite } from '../src/runs/suite.ts';
import { FIDELITY } from './gates.ts';
import { SONNET } from './raw-probes.ts';

export const verifySse: Suite = {
  name: 'verify-sse',
  title: 'One long paced stream, judged event by event',
  proves: [
    'Each of its events reached the client once, in order, as it was sent, and when it was sent: nothing was held back.',
    'It ended for the client as it ended upstream, and the log says so.',
  ],
  probes: [
    {
      client: 'curl',
      id: 'long-stream',
      model: SONNET,
      lane: 'anthropic',
      op: 'stream',
      scenario: 'long-paced',
      live: { prompt: 'Count from 1 to 300, one number a line.', maxTokens: 2048 },
    },
  ],
  timeoutMs: 60_000,
  settings: {},
  checks: [...FIDELITY.filter((id) => id !== 'TOKENS-02'), 'HEADER-03', 'STREAM-03'],
  artifacts: { name: 'verify_sse' },
};
