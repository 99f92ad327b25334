import type { Suite } from '../src/runs/suite.ts';
import { GATES } from './gates.ts';
import { HAIKU, RAW_PROBES, SONNET } from './raw-probes.ts';

const toZai = { client: 'curl', model: HAIKU, lane: 'zai' } as const;
const toAnthropic = { client: 'curl', model: SONNET, lane: 'anthropic' } as const;
/** Paced, for it ends with its answer: until then there must be time for what it asks of others. */
const loggedIn = { client: 'claude', login: 'oauth', scenario: 'paced' } as const;

export const reproGo: Suite = {
  name: 'repro-go',
  title: 'ccp relays Claude Code faithfully (gateway door, the full proof)',
  proves: [
    'Haiku goes to Z.AI and everything else to Anthropic, each with its own credential and no other.',
    'What the client sent and got is, byte for byte, what the upstream got and sent, in every compression.',
    'The usage log, the store, the metrics and the upstreams tell one account, to the token, also of broken streams.',
    'A lane that is used up falls back without carrying a credential along.',
    'Past ccp, a Claude Code with a stored login turns to nobody but its maker.',
  ],
  probes: [
    ...RAW_PROBES,
    { ...toAnthropic, id: 'tools', op: 'stream', scenario: 'tools' },
    { ...toAnthropic, id: 'thinking', op: 'stream', scenario: 'thinking' },
    { ...toAnthropic, id: 'many-blocks', op: 'stream', scenario: 'many-blocks' },
    { ...toAnthropic, id: 'brotli', op: 'stream', acceptEncoding: 'br', scenario: 'br' },
    { ...toAnthropic, id: 'zstd', op: 'stream', acceptEncoding: 'zstd', scenario: 'zstd' },
    { ...toAnthropic, id: 'crlf', op: 'stream', scenario: 'crlf' },
    { ...toAnthropic, id: 'inside-utf8', op: 'stream', scenario: 'inside-utf8' },
    { ...toAnthropic, id: 'reset', op: 'stream', scenario: 'rst-internal-midbody', mayFail: true },
    { ...toAnthropic, id: 'truncated', op: 'stream', scenario: 'truncated', mayFail: true },
    {
      ...toAnthropic,
      id: 'gzip-error',
      op: 'stream',
      acceptEncoding: 'gzip',
      scenario: 'gzip-error',
      mayFail: true,
    },
    { ...toAnthropic, id: 'overloaded', op: 'nonstream', scenario: 'anth-529', mayFail: true },
    { ...toZai, id: 'late-counts', op: 'stream', scenario: 'usage-late' },
    {
      ...toZai,
      id: 'used-up',
      lane: 'anthropic',
      op: 'stream',
      scenario: { provider: 'zai', name: 'zai-1308-2026' },
    },
    // Refused in both header modes, hence twice.
    {
      ...toZai,
      id: 'key-expired',
      lane: 'anthropic',
      op: 'nonstream',
      scenario: { provider: 'zai', name: 'zai-401-2026', times: 2 },
    },
    { client: 'claude', id: 'claude-haiku', model: 'haiku', lane: 'zai', times: 2 },
    { ...loggedIn, id: 'claude-haiku-login', model: 'haiku', lane: 'zai' },
    { client: 'claude', id: 'claude-sonnet', model: 'sonnet', lane: 'anthropic', times: 2 },
    { ...loggedIn, id: 'claude-sonnet-login', model: 'sonnet', lane: 'anthropic' },
  ],
  timeoutMs: 60_000,
  settings: {},
  checks: [...GATES, 'HYGIENE-03'],
  artifacts: { name: 'go_repro', summary: 'GO-REPRO-SUMMARY.md' },
};
