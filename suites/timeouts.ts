import type { Suite } from '../src/runs/suite.ts';
import { FIDELITY } from './gates.ts';
import { HAIKU, SONNET } from './raw-probes.ts';

const toZai = { client: 'curl', model: HAIKU, lane: 'zai', op: 'stream' } as const;
const toAnthropic = { client: 'curl', model: SONNET, lane: 'anthropic', op: 'stream' } as const;

export const timeouts: Suite = {
  name: 'timeouts',
  title: 'Upstreams that answer nothing or fall silent, and a proxy that waits for a second',
  proves: [
    'An upstream that answers nothing is given up in time: the next lane is asked, or the client is told so by 504.',
    'A stream that falls silent is broken off for the client in time, and clients, proxy and upstreams tell one account of it.',
  ],
  probes: [
    { ...toAnthropic, id: 'silent', scenario: 'hang-before-head', mayFail: true },
    { ...toAnthropic, id: 'silent-whole', op: 'nonstream', scenario: 'hang-before-head', mayFail: true },
    {
      ...toZai,
      id: 'silent-zai',
      lane: 'anthropic',
      scenario: { provider: 'zai', name: 'hang-before-head' },
    },
    { ...toAnthropic, id: 'falls-silent', scenario: 'hang-midbody', mayFail: true },
    { ...toZai, id: 'falls-silent-zai', scenario: 'hang-midbody', mayFail: true },
    { ...toAnthropic, id: 'answered', scenario: 'paced' },
    { ...toZai, id: 'answered-zai', scenario: 'paced' },
  ],
  // Where no limit of the proxy strikes, this one does.
  timeoutMs: 5_000,
  // TIMEOUT-01 goes by both.
  settings: { CCP_HEADER_TIMEOUT: '1s', CCP_SSE_IDLE_TIMEOUT: '1s' },
  checks: ['TIMEOUT-01', ...FIDELITY.filter((id) => id !== 'TOKENS-02')],
  artifacts: { name: 'timeouts' },
};
