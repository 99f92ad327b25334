/**
 * A leg of a night: the rounds that one world serves. After each of them everything that its witnesses have is gathered,
 * stored and judged, together with that of the rounds before it in the same world.
 */
import type { Check } from '../../analysis/check.ts';
import type { RoundAccount } from '../../protocol/witness.ts';
import type { Driving } from '../execute.ts';
import { createRedactor } from '../redact.ts';
import { importLog } from '../soak.ts';
import { readStoredRun } from '../stored/stored-run.ts';
import { beginWatch, type LegWatch } from './leg-watch.ts';
import { faultsOf, type PlannedRound } from './night-plan.ts';
import { createSending, isGone, type RoundSurroundings } from './round-sending.ts';
import { atOnceIn, type Counts, countsOf, minus, NO_COUNTS, verdictOn } from './round-verdict.ts';
import { thinAnswers } from './thin.ts';

export interface LegOptions extends Pick<RoundSurroundings, 'night' | 'onDeath'> {
  readonly leg: number;
  readonly rounds: readonly PlannedRound[];
  readonly checks: readonly Check[];
  /** Called as each round ends; whether the leg is to go on. */
  readonly onRound: (account: RoundOfLeg) => Promise<boolean>;
}

/** What the night adds is for it to know. */
export type RoundOfLeg = Omit<RoundAccount, 'jumpMs' | 'kept'>;

/** What drives a run that is a leg. It gathers by itself. */
export async function driveLeg(driving: Driving, options: LegOptions): Promise<void> {
  await using watch = beginWatch(driving, options.leg);
  let before = NO_COUNTS;
  for (const round of options.rounds) {
    const { account, counts } = await carryOutRound(round, { driving, options, watch, before });
    before = counts;
    const goesOn = await options.onRound(account);
    // What a death took along makes the account of a world murky: the next round gets another.
    if (!goesOn || account.deaths.length > 0 || driving.signal.aborted) return;
  }
}

interface Surroundings {
  readonly driving: Driving;
  readonly options: LegOptions;
  readonly watch: LegWatch;
  /** What the rounds before this one left in the world. */
  readonly before: Counts;
}

async function carryOutRound(
  planned: PlannedRound,
  { driving, options, watch, before }: Surroundings,
): Promise<{ readonly account: RoundOfLeg; readonly counts: Counts }> {
  const { clock, signal, world, machine, folder, tell } = driving;
  const { leg, night, onDeath, checks } = options;
  const { round, protocol, killAfter } = planned;
  const began = { wall: clock.now(), steady: clock.monotonic(), stoodStill: machine.stoodStill() };
  const sending = createSending(planned, { driving, night, onDeath, watch });
  await sending.finish();
  if (sending.deaths.length > 0) await importLog(world);
  const collected = await world.collect();
  await folder.keep(collected, createRedactor(collected.canaries));
  if (isGone(world.target.pid)) sending.noticeDeath();
  tell({ type: 'round_closed', round, underWay: [...sending.lost], diedAt: sending.diedAt() });
  const stored = await readStoredRun(folder.path);
  const counts = countsOf(stored);
  const account: RoundOfLeg = {
    round,
    leg,
    protocol,
    startedAt: began.wall,
    ms: clock.monotonic() - began.steady,
    stalledMs: machine.stoodStill() - began.stoodStill,
    partial: signal.aborted,
    sent: sending.sent.length,
    setAside: stored.setAside.filter((id) => sending.lost.includes(id)).length,
    ...minus(counts, before),
    atOnce: atOnceIn(stored, began.wall),
    faults: faultsOf({ probes: sending.sent, alone: [] }),
    kills: killAfter !== null,
    deaths: sending.deaths,
    verdict: verdictOn(stored, checks),
    readings: watch.take(),
    answers: thinAnswers(sending.answers),
  };
  return { account, counts };
}
