/**
 * A leg of a night: the rounds that one world serves. After each of them everything that its witnesses have is gathered,
 * stored and judged, together with that of the rounds before it in the same world.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Check } from '../analysis/check.ts';
import type { Evidence } from '../analysis/evidence.ts';
import { accountOf } from '../analysis/exchanges.ts';
import { OperatorError } from '../errors.ts';
import { type ProcessWatch, watchProcess } from '../harness/process-watch.ts';
import type { Clock } from '../platform/clock.ts';
import type { ProxyDeath, RoundAccount } from '../protocol/witness.ts';
import { type Driving, sendOne } from './execute.ts';
import { judgeRun, outcomeOf } from './judge.ts';
import { faultsOf, type PlannedRound } from './night-plan.ts';
import { firstStage } from './plan.ts';
import { createRedactor } from './redact.ts';
import { readCollected, readEvents } from './run-folder.ts';
import type { NightPlan, PlannedProbe } from './run-record.ts';
import { setAsideKilled } from './set-aside.ts';
import { importLog } from './soak.ts';
import { type StoredRun, stallsIn } from './stored-run.ts';
import { thinAnswers, thinReadings } from './thin.ts';

export interface LegOptions {
  readonly leg: number;
  readonly night: NightPlan;
  readonly rounds: readonly PlannedRound[];
  readonly checks: readonly Check[];
  /** Told at once; the account of the round tells of it again. */
  readonly onDeath: (death: { readonly round: number; readonly cause: ProxyDeath['cause'] }) => void;
  /** Called as each round ends; whether the leg is to go on. */
  readonly onRound: (account: RoundOfLeg) => Promise<boolean>;
}

/** What the night adds is for it to know. */
export type RoundOfLeg = Omit<RoundAccount, 'jumpMs' | 'kept'>;

/** More deaths in one round than this are no accident that a restart could mend. */
const MOST_DEATHS = 3;

/** What drives a run that is a leg. */
export async function driveLeg(driving: Driving, options: LegOptions): Promise<void> {
  await using lives = beginWatch(driving, options.leg);
  const past: Past = { waves: [], probes: [], lost: [], death: null, counts: NOTHING };
  for (const round of options.rounds) {
    const account = await carryOutRound(round, { driving, options, lives, past });
    const goesOn = await options.onRound(account);
    // What a death took along makes the account of a world murky: the next round gets another.
    if (!goesOn || account.deaths.length > 0 || driving.signal.aborted) return;
  }
}

/** What the rounds before this one left in the world. */
interface Past {
  readonly waves: PlannedProbe[][];
  readonly probes: { result: StoredRun['probes'][number] }[];
  readonly lost: string[];
  death: number | null;
  counts: Counts;
}

interface Surroundings {
  readonly driving: Driving;
  readonly options: LegOptions;
  readonly lives: Lives;
  readonly past: Past;
}

async function carryOutRound(round: PlannedRound, around: Surroundings): Promise<RoundOfLeg> {
  const { driving, options, lives, past } = around;
  const { clock, signal, world } = driving;
  const began = { wall: clock.now(), steady: clock.monotonic() };
  const sending = createSending(round, around);
  await sending.finish();
  if (sending.deaths.length > 0) await importLog(world);
  past.waves.push([...sending.sent]);
  past.lost.push(...sending.lost);
  const collected = await world.collect();
  await driving.folder.keep(collected, createRedactor(collected.canaries));
  if (isGone(world.target.pid)) sending.noticeDeath();
  const { verdict, counts, aside } = await judgeSoFar(around);
  const ms = clock.monotonic() - began.steady;
  const account: RoundOfLeg = {
    round: round.round,
    leg: options.leg,
    protocol: round.protocol,
    startedAt: began.wall,
    ms,
    partial: signal.aborted,
    sent: sending.sent.length,
    setAside: aside.filter((id) => sending.lost.includes(id)).length,
    ...minus(counts, past.counts),
    faults: faultsOf({ probes: sending.sent, alone: [] }),
    kills: round.killAfter !== null,
    deaths: sending.deaths,
    verdict,
    readings: lives.take(),
    answers: thinAnswers(sending.answers),
  };
  past.counts = counts;
  return account;
}

/** Sends the probes of a round: several clients, each taking the next one when its turn has come. */
function createSending({ probes, alone, killAfter, round }: PlannedRound, around: Surroundings) {
  const { driving, options, lives, past } = around;
  const { clock, signal, world, plan } = driving;
  const { roundMs, perRound, width } = options.night;
  const began = clock.monotonic();
  const [sent, deaths, lost]: [PlannedProbe[], ProxyDeath[], string[]] = [[], [], []];
  const answers: { at: number; ms: number }[] = [];
  const underWay = new Set<string>();
  const endedAt = new Map<string, number>();
  let restart: Promise<void> | undefined;
  const heard: Driving = {
    ...driving,
    tell: Object.assign((news: Parameters<Driving['tell']>[0]) => {
      if (news.type === 'probe_ended') past.probes.push({ result: news.result });
      driving.tell(news);
    }, driving.tell),
  };

  async function die(cause: ProxyDeath['cause']): Promise<void> {
    if (deaths.length === MOST_DEATHS)
      throw new OperatorError('CHECK_FAILED', `the proxy died ${MOST_DEATHS + 1} times in round ${round}`);
    const at = Date.now();
    const asked = performance.now();
    options.onDeath({ round, cause });
    const unsettled = [...endedAt].filter(([, ended]) => performance.now() - ended < ACKNOWLEDGED_MS);
    lost.push(...underWay, ...unsettled.map(([id]) => id));
    past.death = at;
    await world.crash(firstStage(plan), {
      acknowledged: () => [],
      // The plan says when, not amid how much.
      load: () => ({ answered: past.probes.length, least: 0, bad: [] }),
      slopes: null,
    });
    deaths.push({ at, cause, backMs: performance.now() - asked });
    await lives.next();
  }

  /** One death at a time; whoever notices it waits for the same restart. */
  async function revive(cause: ProxyDeath['cause']): Promise<void> {
    restart ??= die(cause).finally(() => {
      restart = undefined;
    });
    await restart;
  }

  async function send(probe: PlannedProbe): Promise<void> {
    // Not awaited where nobody restarts: from its turn on a probe counts as under way.
    if (restart !== undefined) await restart;
    sent.push(probe);
    underWay.add(probe.id);
    const outcome = await sendOne(probe, heard);
    const result = past.probes.findLast((one) => one.result.id === probe.id)?.result;
    if (outcome === 'good' && isPlain(probe) && result !== undefined)
      answers.push({ at: clock.monotonic(), ms: result.ms });
    if (outcome === 'bad' && !lost.includes(probe.id) && isGone(world.target.pid)) await revive('itself');
    underWay.delete(probe.id);
    endedAt.set(probe.id, performance.now());
    // What an interruption cut off is nobody's fault.
    if (outcome === 'bad' && signal.aborted && !lost.includes(probe.id)) lost.push(probe.id);
  }

  async function client(queue: Iterator<readonly [number, PlannedProbe]>): Promise<void> {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      const [index, probe] = next.value;
      await waitUntil(began + (roundMs * index) / perRound, { clock, signal });
      if (signal.aborted) return;
      const sending = send(probe);
      if (index + 1 === killAfter) {
        await sleep(AMID_MS);
        await revive('chaos');
      }
      await sending;
    }
  }

  return {
    sent,
    deaths,
    lost,
    answers,
    /** After the last probe: nobody needs another process, and the round is judged by what this one left. */
    noticeDeath() {
      options.onDeath({ round, cause: 'itself' });
      deaths.push({ at: Date.now(), cause: 'itself', backMs: null });
    },
    async finish() {
      const queue = probes.entries();
      await Promise.all(Array.from({ length: width }, () => client(queue)));
      await restart;
      if (isGone(world.target.pid)) await revive('itself');
      for (const probe of alone) if (!signal.aborted) await send(probe);
    },
  };
}

/** The client may have the last byte a moment before the proxy has put the exchange on record. */
const ACKNOWLEDGED_MS = 100;
/** For the request to be under way when the proxy is killed. */
const AMID_MS = 5;

/** What takes as long as the proxy does, and not as long as a scenario wants. */
const isPlain = ({ scenario, op, client }: PlannedProbe): boolean =>
  client === 'curl' && scenario === undefined && op === 'nonstream';

function isGone(pid: number | null): boolean {
  if (pid === null) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

/** Resolves when the steady clock is there, or at once where it was or the run is interrupted. */
export async function waitUntil(
  time: number,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const left = time - clock.monotonic();
  if (left <= 0 || signal.aborted) return;
  await new Promise<void>((resolve) => {
    // The clock's own timer keeps nothing alive, and a night has to be waited for.
    const alive = setInterval(() => {}, KEPT_ALIVE_MS);
    const done = (): void => {
      clearInterval(alive);
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(left, done);
    signal.addEventListener('abort', done, { once: true });
  });
}

const KEPT_ALIVE_MS = 60_000;

interface Lives extends AsyncDisposable {
  /** From now on another process is watched. */
  next(): Promise<void>;
  /** What was read since it was asked last; null where a life could not be read at all. */
  take(): RoundAccount['readings'];
}

function beginWatch({ world }: Driving, leg: number): Lives {
  let number = 1;
  let watch: ProcessWatch = watchProcess(world.target.pid);
  let from = 0;
  let past: RoundAccount['readings'] = [];
  const readings = (): RoundAccount['readings'] => {
    const seen = watch.seen();
    const [first] = seen;
    if (first === undefined) return null;
    const fresh = seen.slice(from).map(({ at, ...taken }) => ({ ...taken, at: at - first.at }));
    return thinReadings(fresh).map((one) => ({ ...one, life: `${leg}.${number}` }));
  };
  const joined = (): RoundAccount['readings'] => {
    const now = readings();
    return past === null || now === null ? null : [...past, ...now];
  };
  return {
    async next() {
      past = joined();
      await watch[Symbol.asyncDispose]();
      watch = watchProcess(world.target.pid);
      number += 1;
      from = 0;
    },
    take() {
      const taken = joined();
      past = [];
      from = watch.seen().length;
      return taken;
    },
    [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
  };
}

type Counts = Pick<RoundAccount, 'witnesses' | 'spoken'>;

const NOTHING: Counts = {
  witnesses: { client: 0, logged: 0, stored: 0, attempts: 0, upstream: 0 },
  spoken: { h1: 0, h2: 0 },
};

/** A life that was killed was asked nothing: what rests on its answers cannot be judged. */
const NEEDS_ANSWERS: readonly string[] = ['METRICS-01', 'READY-01', 'LANES-01', 'LICENSE-02', 'USAGE-01'];
/** What the next life says of its store as a whole. */
const NEEDS_ALL_RECORDS: readonly string[] = ['STORE-01', 'STORE-02'];

/** Judges all that happened in this world, by what is stored of it. */
async function judgeSoFar({ driving, options, past }: Surroundings): Promise<{
  readonly verdict: RoundAccount['verdict'];
  readonly counts: Counts;
  /** Probes that were set aside. */
  readonly aside: readonly string[];
}> {
  const { plan, provenance, folder } = driving;
  const stored: Evidence = {
    suite: plan.suite,
    run: plan.run,
    probes: past.probes.map(({ result }) => result),
    ...(await readCollected(folder.path)),
    stalls: stallsIn(await readEvents(folder.path)),
  };
  const { seed, upstream } = plan;
  const killed =
    past.death === null ? null : setAsideKilled(stored, { underWay: past.lost, diedAt: past.death, seed });
  // What an interruption took is cut for the client, and on record: only the probe is not to be judged.
  const { evidence, ids: aside, recorded } = killed ?? { evidence: stored, ids: past.lost, recorded: false };
  const unjudged = new Map([
    ...(killed === null ? [] : NEEDS_ANSWERS).map(
      (id) => [id, 'a process that was killed was asked nothing'] as const,
    ),
    ...(recorded ? NEEDS_ALL_RECORDS : []).map(
      (id) =>
        [
          id,
          'an exchange was put on record as the proxy was killed, and its client does not have it whole',
        ] as const,
    ),
  ]);
  const verdicts = judgeRun(
    {
      plan: {
        ...plan,
        waves: past.waves.map((wave) => wave.filter(({ id }) => !aside.includes(id))),
        checks: plan.checks.map((check) => {
          const skip = unjudged.get(check.id) ?? check.skip;
          return { id: check.id, title: check.title, ...(skip !== undefined && { skip }) };
        }),
      },
      provenance,
      evidence,
      probes: evidence.probes.filter(({ id }) => !aside.includes(id)),
      reports: new Map(),
      lost: [],
      events: [],
      flaky: [],
      ending: 'complete',
      startedAt: 0,
      ms: 0,
    },
    options.checks,
  );
  return {
    verdict: {
      outcome: outcomeOf(verdicts, { allowInconclusive: false }),
      passed: verdicts.flatMap(({ id, outcome }) => (outcome === 'pass' ? [id] : [])),
      red: verdicts
        .filter(({ outcome }) => outcome !== 'pass' && outcome !== 'skipped')
        .map(({ id, outcome, violations, note = '' }) => ({
          id,
          outcome,
          what: violations[0]?.what ?? note,
        })),
    },
    aside,
    counts: countsOf(evidence, upstream === 'mock'),
  };
}

function countsOf(evidence: Evidence, mocked: boolean): Counts {
  const { exchanges, strayUpstream } = accountOf(evidence);
  const seen = [...exchanges.flatMap(({ upstream }) => upstream), ...strayUpstream];
  const completions = evidence.usage.events.filter((event) => event.event === 'completion');
  const { store } = evidence;
  const h2 = seen.filter(({ http }) => http === '2').length;
  return {
    witnesses: {
      client: exchanges.length,
      logged: completions.length,
      stored: store.kind === 'none' ? null : store.kind === 'read' ? store.rows.length : 0,
      attempts: completions.reduce((sum, { attempts }) => sum + attempts.length, 0),
      upstream: mocked ? seen.length : null,
    },
    spoken: { h1: seen.length - h2, h2 },
  };
}

/** Never below nothing: a round that is judged again with those after it may find less than before, and that is told there. */
function minus({ witnesses, spoken }: Counts, before: Counts): Counts {
  const less = (a: number, b: number): number => Math.max(0, a - b);
  const { client, logged, stored, attempts, upstream } = witnesses;
  return {
    witnesses: {
      client: less(client, before.witnesses.client),
      logged: less(logged, before.witnesses.logged),
      stored: stored === null ? null : less(stored, before.witnesses.stored ?? 0),
      attempts: less(attempts, before.witnesses.attempts),
      upstream: upstream === null ? null : less(upstream, before.witnesses.upstream ?? 0),
    },
    spoken: { h1: less(spoken.h1, before.spoken.h1), h2: less(spoken.h2, before.spoken.h2) },
  };
}
