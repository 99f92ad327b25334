/**
 * Rounds of load, each ended by `kill -9` amid it; then the log closes the gaps that the kills left in the store. What
 * came of it is for the checks to judge.
 */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../errors.ts';
import { type Load, type LoadRequest, startLoad } from '../harness/load.ts';
import { watchProcess } from '../harness/process-watch.ts';
import type { World } from '../harness/types/world.ts';
import type { CrashLoad } from '../protocol/witness.ts';
import type { Driving } from './execute.ts';
import { firstStage } from './plan.ts';
import { rawRequest } from './raw-request.ts';
import type { SoakPlan } from './run-record.ts';

const WIDTH = 8;
const PAUSE_MS = 20;
/** From one request of a client to its next, on a machine that has much else to do; usually it is a twentieth of that. */
const SLOWEST_MS = 500;
export async function soak(
  { plan, world, tell, signal }: Driving,
  { rounds, roundMs }: SoakPlan,
): Promise<void> {
  const stage = firstStage(plan);
  for (let round = 1; round <= rounds; round += 1) {
    const { target } = world;
    await using watch = watchProcess(target.pid);
    const load = startLoad({
      url: target.url,
      width: WIDTH,
      pauseMs: PAUSE_MS,
      name: `round-${round}`,
      next: createRequests(world),
    });
    try {
      await sleep(roundMs, undefined, { signal });
      await world.crash(stage, {
        // No time is forgiven: a proxy that has answered the same client again has had its turn to write.
        acknowledged: (killedAt) => load.followedBefore(killedAt),
        load: (killedAt) => loadUntil(killedAt, load, roundMs),
        slopes: watch.slopes(),
      });
    } finally {
      await load.stop();
    }
    tell({ type: 'round_ended', round, answered: load.wholeBefore(Date.now()).length });
  }
  await using watch = watchProcess(world.target.pid);
  await importLog(world);
  // Once more, with nothing under way: what is there now is what the log gave back.
  await world.crash(stage, { acknowledged: () => [], load: () => null, slopes: watch.slopes() });
}

function loadUntil(time: number, load: Load, roundMs: number): CrashLoad {
  const bad = load.badBefore(time);
  const failed = new Set(bad.map(({ id }) => id));
  const answered = load.wholeBefore(time).filter((id) => !failed.has(id));
  return { answered: answered.length, least: Math.max(1, (WIDTH * roundMs) / SLOWEST_MS), bad };
}

/** Both lanes, streams and whole answers in turn. */
function createRequests({ canaries }: World): (index: number) => LoadRequest {
  const credential = { header: 'x-api-key', value: canaries.anthropicKey } as const;
  const kinds = (['claude-sonnet-5', 'claude-haiku-4-5-20251001'] as const).flatMap((model) =>
    (['stream', 'nonstream'] as const).map((op) => {
      const { target, headers, body } = rawRequest({ model, op }, credential, 'soak');
      const named = headers.filter(([name]) => name.toLowerCase() !== 'content-length');
      return { target, headers: Object.fromEntries(named), body: typeof body === 'string' ? body : '' };
    }),
  );
  return (index) => {
    const kind = kinds[index % kinds.length];
    if (kind === undefined) throw new RangeError('there are kinds of requests');
    return kind;
  };
}

/** Rejects with CHECK_FAILED where it refuses; another program than ours has no such command. */
export async function importLog({ target }: World): Promise<void> {
  if (target.usageLogPath === null) return;
  const args = ['db', 'import', '--jsonl', target.usageLogPath, '--rotated'];
  const result = await target.ccp(args);
  if (result === null || result.exitCode === 0) return;
  const said = result.stderr.trim().split('\n').slice(-3).join('\n');
  throw new OperatorError(
    'CHECK_FAILED',
    `"ccp db import" of ${path.basename(target.usageLogPath)} ended with ${result.exitCode ?? 'a signal'}: ${said}`,
  );
}
