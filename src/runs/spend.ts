/** What a run against real upstreams will send at most, roughly. */
import type { NightPlan, Plan, PlannedProbe } from './run-record.ts';

export interface LaneSpend {
  readonly lane: string;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** One entry for each lane that is asked anything. */
export function expectedSpend({ waves, driver }: Plan): LaneSpend[] {
  if (driver?.kind === 'limits') {
    const { lane, maxRequests: requests } = driver;
    return [{ lane, requests, inputTokens: requests * RAW_INPUT_TOKENS, outputTokens: requests }];
  }
  if (driver?.kind === 'overnight') return spendOfNight(driver);
  const probes = waves.flat();
  return [...new Set(probes.map(({ lane }) => lane))].map((lane) => {
    const spends = probes.filter((probe) => probe.lane === lane).map(spendOf);
    const sum = (key: keyof (typeof spends)[number]) =>
      spends.reduce((total, spend) => total + spend[key], 0);
    return {
      lane,
      requests: sum('requests'),
      inputTokens: sum('inputTokens'),
      outputTokens: sum('outputTokens'),
    };
  });
}

/** Claude Code's body for "Say ok" is 85 to 125 KB, tools included: some 30,000 tokens; and it may ask twice. */
const CLAUDE_CODE = { requests: 2, inputTokens: 60_000, outputTokens: 500 };
const FREE = { requests: 1, inputTokens: 0, outputTokens: 0 };
/** A raw probe's prompt is two sentences. */
const RAW_INPUT_TOKENS = 60;

/** Half of them each, whatever ends it before. */
function spendOfNight({ maxRequests = 0, clients }: NightPlan): LaneSpend[] {
  const each =
    clients === 'claude' ? CLAUDE_CODE : { requests: 1, inputTokens: RAW_INPUT_TOKENS, outputTokens: 8 };
  const probes = Math.ceil(maxRequests / 2);
  return ['anthropic', 'zai'].map((lane) => ({
    lane,
    requests: probes * each.requests,
    inputTokens: probes * each.inputTokens,
    outputTokens: probes * each.outputTokens,
  }));
}

function spendOf({ client, op, maxTokens = 64 }: PlannedProbe) {
  if (client === 'claude') return CLAUDE_CODE;
  if (op === 'count_tokens' || op === 'models') return FREE;
  return { requests: 1, inputTokens: RAW_INPUT_TOKENS, outputTokens: maxTokens };
}
