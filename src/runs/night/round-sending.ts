/** Sends one round of a night, and starts the proxy again when it dies, by the plan or of itself, or answers nobody. */
import { setTimeout as sleep } from 'node:timers/promises';
import { plural } from '../../analysis/plural.ts';
import { OperatorError } from '../../errors.ts';
import type { ProbeResult, ProxyDeath, RoundAccount } from '../../protocol/witness.ts';
import { type Driving, sendOne } from '../execute.ts';
import { firstStage } from '../plan.ts';
import type { NightPlan, PlannedProbe } from '../run-record.ts';
import type { LegWatch } from './leg-watch.ts';
import { isPlain, type PlannedRound } from './night-plan.ts';
import { waitUntil } from './wait-until.ts';

export interface RoundSending {
  /** In the order in which they were sent. */
  readonly sent: readonly PlannedProbe[];
  readonly deaths: readonly ProxyDeath[];
  /** Ids of probes that a death, or an interruption, may have cut short. */
  readonly lost: readonly string[];
  /** How long plain answers took. */
  readonly answers: RoundAccount['answers'];
  /** Epoch milliseconds of the last death that something was under way at; null where there was none. */
  diedAt(): number | null;
  /**
   * Resolves once every probe has ended, and a proxy is there; rejects where it dies again and again. A round takes its time
   * and one timeout more, and then sends nothing.
   */
  finish(): Promise<void>;
  /** After the last probe: nobody needs another process, and the round is judged by what this one left. */
  noticeDeath(): void;
}

export interface RoundSurroundings {
  readonly driving: Driving;
  readonly night: NightPlan;
  /** Told at once; the account of the round tells of it again. */
  readonly onDeath: (death: { readonly round: number; readonly cause: ProxyDeath['cause'] }) => void;
  readonly watch: Pick<LegWatch, 'life' | 'next'>;
}

/** More deaths in one round than this are no accident that a restart could mend. */
const MOST_DEATHS = 3;

/** Several clients, each taking the next probe when its turn has come. */
export function createSending(
  { probes, alone, killAfter, round }: PlannedRound,
  { driving, night, onDeath, watch }: RoundSurroundings,
): RoundSending {
  const { clock, signal, world, plan, machine } = driving;
  const { roundMs, perRound, width } = night;
  const began = clock.monotonic();
  // A round that is not spread over a time has as much as its probes take, one after the other.
  const stoodStill = machine.stoodStill();
  const took = (): number => clock.monotonic() - began - (machine.stoodStill() - stoodStill);
  const isLate = (): boolean => roundMs > 0 && took() > roundMs + plan.timeoutMs;
  const [sent, deaths, lost]: [PlannedProbe[], ProxyDeath[], string[]] = [[], [], []];
  const answers: RoundAccount['answers'][number][] = [];
  const results = new Map<string, ProbeResult>();
  const underWay = new Set<string>();
  const endedAt = new Map<string, number>();
  let diedAt: number | null = null;
  let restart: Promise<void> | undefined;
  let silence: Promise<boolean> | undefined;
  let isCutShort = false;
  const heard: Driving = {
    ...driving,
    tell: Object.assign((news: Parameters<Driving['tell']>[0]) => {
      if (news.type === 'probe_ended') results.set(news.result.id, news.result);
      driving.tell(news);
    }, driving.tell),
  };

  async function die(cause: ProxyDeath['cause']): Promise<void> {
    if (deaths.length === MOST_DEATHS)
      throw new OperatorError('CHECK_FAILED', `the proxy died ${MOST_DEATHS + 1} times in round ${round}`);
    const at = Date.now();
    const asked = performance.now();
    onDeath({ round, cause });
    const unsettled = [...endedAt].filter(([, ended]) => performance.now() - ended < ACKNOWLEDGED_MS);
    lost.push(...underWay, ...unsettled.map(([id]) => id));
    diedAt = at;
    await world.crash(firstStage(plan), {
      acknowledged: () => [],
      // The plan says when, not amid how much.
      load: () => ({ answered: results.size, least: 0, bad: [] }),
      slopes: null,
      hung: cause === 'hung',
    });
    deaths.push({ at, cause, backMs: performance.now() - asked });
    await watch.next();
  }

  /** One death at a time; whoever notices it waits for the same restart. */
  async function revive(cause: ProxyDeath['cause']): Promise<void> {
    restart ??= die(cause).finally(() => {
      restart = undefined;
    });
    await restart;
  }

  /** Whether the proxy says nothing any more, not even when it is asked how it is; whoever wonders waits for the same answer. */
  async function isSilent(): Promise<boolean> {
    silence ??= world.target
      .get('/healthz')
      .then(
        () => false,
        () => true,
      )
      .finally(() => {
        silence = undefined;
      });
    return silence;
  }

  /** After a probe that failed: it is under way still, so that a death which somebody else noticed has taken it. */
  async function lookAfterProxy(id: string, timedOut: boolean): Promise<void> {
    const isTaken = (): boolean => lost.includes(id);
    if (!isTaken() && timedOut && !signal.aborted && !isGone(world.target.pid) && (await isSilent())) {
      if (!isTaken()) await revive(isGone(world.target.pid) ? 'itself' : 'hung');
      return;
    }
    if (!isTaken() && isGone(world.target.pid)) await revive('itself');
  }

  /** Told once, as a probe that was lost: a round without the rest of its probes is not whole. */
  function leaveUnsent({ id }: PlannedProbe, after: number): void {
    if (isCutShort) return;
    isCutShort = true;
    const others = after === 0 ? '' : `, nor ${plural(after, 'probe')} after it`;
    const problem = `was not sent${others}: the round had been over for as long as a probe may take`;
    driving.tell({ type: 'probe_started', id });
    driving.tell({ type: 'probe_broke', id, problem });
  }

  async function send(probe: PlannedProbe): Promise<void> {
    // Not awaited where nobody restarts: from its turn on a probe counts as under way.
    if (restart !== undefined) await restart;
    sent.push(probe);
    underWay.add(probe.id);
    const outcome = await sendOne(probe, heard);
    const result = results.get(probe.id);
    if (outcome === 'good' && isPlain(probe) && result !== undefined)
      answers.push({ life: watch.life(), at: clock.monotonic(), ms: result.ms });
    if (outcome === 'bad') await lookAfterProxy(probe.id, result?.timedOut === true);
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
      if (isLate()) return leaveUnsent(probe, probes.length - index - 1 + alone.length);
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
    diedAt: () => diedAt,
    noticeDeath() {
      onDeath({ round, cause: 'itself' });
      deaths.push({ at: Date.now(), cause: 'itself', backMs: null });
    },
    async finish() {
      const queue = probes.entries();
      await Promise.all(Array.from({ length: width }, () => client(queue)));
      await restart;
      if (isGone(world.target.pid)) await revive('itself');
      for (const [index, probe] of alone.entries()) {
        if (signal.aborted) return;
        if (isLate()) return leaveUnsent(probe, alone.length - index - 1);
        await send(probe);
      }
    },
  };
}

/** The client may have the last byte a moment before the proxy has put the exchange on record. */
const ACKNOWLEDGED_MS = 100;
/** For the request to be under way when the proxy is killed. */
const AMID_MS = 5;

/** Whether there is no such process any more; one that is not ours to start has no id. */
export function isGone(pid: number | null): boolean {
  if (pid === null) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
