/** Raw probes that the gates need evidence from, on both lanes: what Claude Code does not do, or not on demand. */
import type { Lane, RawProbeSpec } from '../src/runs/suite.ts';

export const SONNET = 'claude-sonnet-5';
export const HAIKU = 'claude-haiku-4-5-20251001';

const MODELS: Readonly<Record<Lane, string>> = { anthropic: SONNET, zai: HAIKU };
/** Refusals that stay on their lane: a bad request is not worth a fallback. */
const REFUSALS: Readonly<Record<Lane, string>> = { anthropic: 'anth-429-unified', zai: 'zai-1210-2026' };

export const RAW_PROBES: readonly RawProbeSpec[] = [
  ...lane('anthropic'),
  ...lane('zai'),
  // It names no model, so it belongs to Anthropic.
  { client: 'curl', id: 'models', model: 'none', lane: 'anthropic', op: 'models' },
];

function lane(name: Lane): RawProbeSpec[] {
  const all = { client: 'curl', model: MODELS[name], lane: name } as const;
  return [
    { ...all, id: `stream-${name}`, op: 'stream', scenario: 'paced' },
    { ...all, id: `nonstream-${name}`, op: 'nonstream' },
    { ...all, id: `count-tokens-${name}`, op: 'count_tokens' },
    { ...all, id: `gzip-${name}`, op: 'stream', acceptEncoding: 'gzip', scenario: 'gzip' },
    { ...all, id: `refused-${name}`, op: 'stream', scenario: REFUSALS[name], mayFail: true },
    { ...all, id: `uncounted-${name}`, op: 'stream', scenario: 'usage-absent' },
    // One that stalls with a busy machine proves nothing against the proxy; three do.
    ...[600, 1200, 1800].map(
      (leaveAfterBytes) =>
        ({
          ...all,
          id: `leaves-${leaveAfterBytes}-${name}`,
          op: 'stream',
          scenario: 'paced',
          leaveAfterBytes,
        }) as const,
    ),
  ];
}
