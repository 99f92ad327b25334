/**
 * Looks for the limit of a provider's window with care: one small request after the other, a pause between them, and
 * nothing more once the lane has said that it is used up, or anything else that is neither an answer nor "too fast".
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { limitOf, meaningOf, type StatedLimit } from '../analysis/stated-limit.ts';
import type { World } from '../harness/types/world.ts';
import type { Transcript } from '../protocol/transcript.ts';
import { type Driving, sendOne } from './execute.ts';
import type { LimitPlan, PlannedProbe } from './run-record.ts';

const MODELS = { anthropic: 'claude-sonnet-5', zai: 'claude-haiku-4-5-20251001' } as const;
/** What a mock says once its window is used up. */
const USED_UP = { anthropic: 'anth-429-unified', zai: 'zai-1308-2026' } as const;
const PROVIDERS = { anthropic: 'anth', zai: 'zai' } as const;

/** Between two requests: real ones are not to be hurried. */
const PAUSE_MS = { mock: 0, real: 1_000 } as const;
/** Waited out where the lane says that it was too fast, if it does not say how long. */
const THROTTLED_MS = 5_000;
const MOST_PATIENCE_MS = 60_000;
const MOST_THROTTLES = 5;

export async function probeLimits(driving: Driving, limits: LimitPlan): Promise<void> {
  const { plan, world, signal } = driving;
  if (plan.upstream === 'mock') playWindow(world, limits);
  let throttles = 0;
  for (let index = 1; index <= limits.maxRequests && !signal.aborted; index += 1) {
    const answer = await sendNext(index, limits, driving);
    const meaning = answer === null ? 'over' : meaningOf(answer);
    if (meaning === 'over' || (meaning === 'throttle' && throttles === MOST_THROTTLES)) return;
    const limit = answer === null ? null : limitOf(answer);
    if (limit !== null) throttles += 1;
    await sleep(limit === null ? PAUSE_MS[plan.upstream] : patience(limit), undefined, { signal });
  }
}

/** Null where nothing came of it that could be read. */
async function sendNext(index: number, limits: LimitPlan, driving: Driving): Promise<Transcript | null> {
  const { world } = driving;
  const before = world.seen().client.length;
  await sendOne(probe(index, limits), driving);
  return world.seen().client.slice(before).at(-1) ?? null;
}

/** A mock answers as often as its window holds, and then no more. */
function playWindow({ upstreams }: World, { lane, maxRequests, mockWindow }: LimitPlan): void {
  const mock = upstreams[PROVIDERS[lane]];
  mock.play('text', { times: mockWindow });
  mock.play(USED_UP[lane], { times: maxRequests });
}

const probe = (index: number, { lane }: LimitPlan): PlannedProbe => ({
  id: `probe-${index}`,
  client: 'curl',
  model: MODELS[lane],
  lane,
  op: 'nonstream',
  maxTokens: 1,
  // Its answer is what is looked for, whatever it is.
  mayFail: true,
});

function patience({ resetsAt }: StatedLimit): number {
  const stated = resetsAt === null ? THROTTLED_MS : resetsAt - Date.now();
  return Math.min(Math.max(stated, 0), MOST_PATIENCE_MS);
}
