import type { Suite } from '../src/runs/suite.ts';
import { GATES } from './gates.ts';
import { RAW_PROBES } from './raw-probes.ts';

export const reproGoQuick: Suite = {
  name: 'repro-go-quick',
  title: 'ccp relays Claude Code faithfully (gateway door, one call a model)',
  proves: [
    'Haiku goes to Z.AI and everything else to Anthropic, each with its own credential and no other.',
    'What the client sent and got is, byte for byte, what the upstream got and sent.',
    'The usage log, the store, the metrics and the upstreams tell one account, to the token.',
  ],
  probes: [
    ...RAW_PROBES,
    { client: 'claude', id: 'claude-haiku', model: 'haiku', lane: 'zai' },
    { client: 'claude', id: 'claude-sonnet', model: 'sonnet', lane: 'anthropic' },
  ],
  timeoutMs: 60_000,
  settings: {},
  checks: GATES,
  artifacts: { name: 'go_repro_quick' },
};
