/**
 * Conducts a night: round after round until time is up, each judged as it ends and then summed up, so that neither memory
 * nor disk grows with the night. The event of a round is its checkpoint: what comes after it is done again, by the same
 * plan and seed, where the night is resumed.
 */
import { appendFile, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { CHECKS } from '../../analysis/checks/index.ts';
import { OperatorError } from '../../errors.ts';
import type { MachineWatch } from '../../harness/machine-watch.ts';
import { TargetEnded } from '../../harness/target.ts';
import type { Clock } from '../../platform/clock.ts';
import type { ProxyDeath, RoundAccount } from '../../protocol/witness.ts';
import { type Conducting, type Execution, execute } from '../execute.ts';
import { LANES } from '../plan.ts';
import type { NightPlan, Plan } from '../run-record.ts';
import { createRunFolder } from '../stored/run-folder.ts';
import { missingWitness } from '../witness-needs.ts';
import { driveLeg } from './leg.ts';
import { type PlannedRound, protocolSetting, roundOf } from './night-plan.ts';
import { spentIn } from './spent.ts';
import { waitUntil } from './wait-until.ts';

/** So many legs with a red round are kept whole; of those after them, what was wrong. */
const MOST_KEPT = 20;
/** Of the night's usage log: the newest, in two files of at most this. */
const MOST_LOG_BYTES = 32 * 1024 * 1024;
/** Worlds that cannot be opened one after the other: then it is not the night that is to blame. */
const MOST_BROKEN = 3;

export async function conductNight(conducting: Conducting, night: NightPlan): Promise<void> {
  const { clock, signal, resumes = [] } = conducting;
  await sweep(conducting.folder.path, resumes);
  const state = stateAfter(resumes, clock);
  let spent = spentIn(resumes, night);
  let broken = 0;
  while (
    !signal.aborted &&
    !state.over &&
    spent < night.maxMs &&
    roundsFor(state, conducting, night).length > 0
  ) {
    const began = clock.monotonic();
    const execution = await runLeg(state, conducting, { night, left: night.maxMs - spent });
    spent += clock.monotonic() - began;
    broken = execution.ending === 'broken' ? broken + 1 : 0;
    if (execution.ending === 'broken' && broken === MOST_BROKEN) throw execution.cause;
    state.leg += 1;
    if (state.over || spent + night.pauseMs >= night.maxMs) break;
    const paused = clock.monotonic();
    await waitUntil(paused + night.pauseMs, { clock, signal });
    spent += clock.monotonic() - paused;
  }
  if (state.judged === 0 && !signal.aborted) throw roomless(conducting, night);
}

/** A night of no round shows nothing; which of its limits left no room for one. */
function roomless({ plan }: Conducting, night: NightPlan): OperatorError {
  const { maxRequests } = night;
  const { probes, alone } = roundOf(plan, night, 1);
  const sends = probes.length + alone.length;
  return maxRequests !== undefined && maxRequests < sends
    ? new OperatorError('USAGE', `a night of ${maxRequests} requests has no round: one sends ${sends}`, {
        hint: `Allow ${sends} requests or more.`,
      })
    : new OperatorError('USAGE', 'there was no time for a round', { hint: 'Give the night more minutes.' });
}

/** Of a world that was open when a night was killed: what it knew of credentials, and all of it where no red round is in it. */
async function sweep(folder: string, rounds: readonly RoundAccount[]): Promise<void> {
  const places = await readdir(path.join(folder, 'rounds')).catch(() => []);
  for (const name of places) {
    const place = path.join('rounds', name);
    const isKept = rounds.some(({ kept }) => kept === place);
    await rm(path.join(folder, place, ...(isKept ? ['world'] : [])), { recursive: true, force: true });
  }
}

interface State {
  leg: number;
  /** The round that is due. */
  next: number;
  protocol: RoundAccount['protocol'] | null;
  judged: number;
  kept: number;
  sent: number;
  over: boolean;
  /** What lies between the wall clock and the steady one. */
  apart: number;
}

function stateAfter(rounds: readonly RoundAccount[], clock: Clock): State {
  const last = rounds.at(-1);
  return {
    leg: (last?.leg ?? 0) + 1,
    next: last === undefined ? 1 : last.partial ? last.round : last.round + 1,
    protocol: last?.protocol ?? null,
    judged: rounds.length,
    kept: rounds.filter(({ kept }) => kept !== null).length,
    sent: rounds.reduce((sum, { sent }) => sum + sent, 0),
    over: false,
    apart: clock.now() - clock.monotonic(),
  };
}

/** The rounds from the one that is due to the next toggle, within what may be sent. */
function roundsFor(
  { next, sent }: State,
  { plan }: Pick<Conducting, 'plan'>,
  night: NightPlan,
): PlannedRound[] {
  const rounds: PlannedRound[] = [];
  let most = (night.maxRequests ?? Infinity) - sent;
  for (
    let number = next;
    number <= (night.maxRounds ?? Infinity) && rounds.length * night.perRound < MOST_IN_A_WORLD;
    number += 1
  ) {
    const round = roundOf(plan, night, number);
    most -= round.probes.length + round.alone.length;
    if (most < 0 || (rounds[0] !== undefined && rounds[0].protocol !== round.protocol)) break;
    rounds.push(round);
  }
  return rounds;
}

/** Probes: a world remembers all that its witnesses saw, and all of it is judged again after each round. */
const MOST_IN_A_WORLD = 600;

async function runLeg(
  state: State,
  conducting: Conducting,
  { night, left }: { readonly night: NightPlan; readonly left: number },
): Promise<Execution> {
  const { tell, resumes: _, ...rest } = conducting;
  const { plan, folder, clock, signal } = rest;
  const rounds = roundsFor(state, conducting, night);
  const [first] = rounds;
  if (first === undefined) throw new RangeError('a leg has a round');
  const name = path.join('rounds', `leg-${String(state.leg).padStart(4, '0')}`);
  const place = path.join(folder.path, name);
  await mkdir(path.dirname(place), { recursive: true });
  if (state.protocol !== null && state.protocol !== first.protocol)
    tell({ type: 'toggled', round: first.round, protocol: first.protocol });
  state.protocol = first.protocol;
  const began = clock.monotonic();
  let machine: MachineWatch | null = null;
  // Before there is a world nobody looks whether it stands still.
  const now = () => ({
    wall: clock.now(),
    steady: clock.monotonic(),
    stoodStill: machine?.stoodStill() ?? 0,
  });
  let roundBegan = now();
  const deaths: ProxyDeath[] = [];
  let keeps = false;
  const legFolder = await createRunFolder(place);
  const execution = await execute({
    ...rest,
    plan: legPlan(plan, night, { rounds, name: path.basename(name), protocol: first.protocol }),
    folder: legFolder,
    // Stored with the leg alone; who watches is told how far the round is.
    onEvent(event) {
      if (event.type === 'probe_ended' || event.type === 'probe_broke') conducting.onEvent(event);
    },
    gathers: true,
    drive: (driving) => {
      machine = driving.machine;
      return driveLeg(driving, {
        leg: state.leg,
        night,
        rounds,
        checks: CHECKS,
        onDeath({ round, cause }) {
          deaths.push({ at: clock.now(), cause, backMs: null });
          tell({ type: 'proxy_died', round, cause });
        },
        async onRound(account) {
          const red = account.verdict.outcome !== 'pass';
          keeps ||= red && state.kept < MOST_KEPT;
          const told = { ...account, jumpMs: jumped(state, clock), kept: red && keeps ? name : null };
          tell({ type: 'round_judged', account: told });
          note(state, told, night);
          const remains = left - (clock.monotonic() - began);
          deaths.length = 0;
          const goesOn = !state.over && !red && !account.partial && remains > 0;
          if (goesOn && account.round !== rounds.at(-1)?.round)
            await waitUntil(clock.monotonic() + Math.min(night.pauseMs, remains), { clock, signal });
          roundBegan = now();
          return goesOn && remains > night.pauseMs;
        },
      });
    },
  });
  if (execution.ending === 'broken') {
    if (execution.cause instanceof TargetEnded) {
      deaths.push({ at: clock.now(), cause: 'itself', backMs: null });
      tell({ type: 'proxy_died', round: state.next, cause: 'itself' });
    }
    keeps ||= state.kept < MOST_KEPT;
    const account: RoundAccount = {
      ...unjudged(roundOf(plan, night, state.next), execution.note),
      leg: state.leg,
      startedAt: roundBegan.wall,
      ms: clock.monotonic() - roundBegan.steady,
      jumpMs: jumped(state, clock),
      stalledMs: now().stoodStill - roundBegan.stoodStill,
      deaths,
      kept: keeps ? name : null,
    };
    tell({ type: 'round_judged', account });
    note(state, account, night);
  }
  await appendLog(folder.path, place);
  if (keeps) state.kept += 1;
  else await rm(place, { recursive: true, force: true });
  return execution;
}

/** By how much the wall clock went further than the steady one since this was asked last: the machine slept, or was set. */
function jumped(state: State, clock: Clock): number {
  const before = state.apart;
  state.apart = clock.now() - clock.monotonic();
  return Math.round(state.apart - before);
}

/** A round whose surroundings broke shows nothing, and that is no pass. */
const unjudged = ({ round, protocol, killAfter }: PlannedRound, what: string) => ({
  round,
  protocol,
  partial: false,
  sent: 0,
  setAside: 0,
  witnesses: { client: 0, logged: 0, stored: 0, attempts: 0, upstream: 0 },
  spoken: { h1: 0, h2: 0 },
  atOnce: null,
  faults: [],
  kills: killAfter !== null,
  verdict: { outcome: 'fail' as const, passed: [], red: [{ id: 'RUN-01', outcome: 'broken', what }] },
  readings: null,
  answers: [],
});

function note(state: State, { round, partial, sent, verdict }: RoundAccount, { until }: NightPlan): void {
  state.judged += 1;
  state.sent += sent;
  if (!partial) state.next = round + 1;
  const green = verdict.outcome === 'pass';
  state.over = !partial && ((until === 'red' && !green) || (until === 'green' && green));
}

/** An ordinary plan, so that a leg that is kept is a run like any other. */
function legPlan(
  whole: Plan,
  night: NightPlan,
  leg: {
    readonly rounds: readonly PlannedRound[];
    readonly name: string;
    readonly protocol: RoundAccount['protocol'];
  },
): Plan {
  const { driver: _, ...plan } = whole;
  const [first, last] = [leg.rounds[0]?.round, leg.rounds.at(-1)?.round];
  return {
    ...plan,
    run: `${plan.run}-${leg.name}`,
    title: `Rounds ${first} to ${last} of a night`,
    proves: [],
    // A round that is unsure is no pass, whatever the night may be.
    allowInconclusive: false,
    partOf: night,
    settings: { ...plan.settings, ...(night.toggles && protocolSetting(leg.protocol)) },
    waves: leg.rounds
      .flatMap(({ probes, alone }) => [[...probes], [...alone]])
      .filter((wave) => wave.length > 0),
    checks: night.roundChecks.map((id) => {
      const check = CHECKS.find((one) => one.id === id);
      if (check === undefined) throw new Error(`${plan.suite} names the check ${id}, which does not exist`);
      const skip = missingWitness(check, { ...plan, lanes: new Set(LANES) });
      return { id, title: check.title, ...(skip !== null && { skip }) };
    }),
  };
}

/** Adds the usage log of a leg to that of the night, of which the newest is kept. */
async function appendLog(night: string, leg: string): Promise<void> {
  const text = await readFile(path.join(leg, 'usage.jsonl'), 'utf8').catch(() => null);
  if (text === null) return;
  const log = path.join(night, 'usage.jsonl');
  const { size } = await stat(log).catch(() => ({ size: 0 }));
  if (size + text.length > MOST_LOG_BYTES) await rename(log, path.join(night, 'usage.1.jsonl'));
  await appendFile(log, text);
}
