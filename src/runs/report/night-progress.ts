/** How a night goes, in one line: as each round ends, and on a terminal every few seconds. */
import { plural } from '../../analysis/plural.ts';
import type { RoundAccount } from '../../protocol/witness.ts';
import { timeForRounds } from '../drivers.ts';
import { roundOf } from '../night/night-plan.ts';
import type { RunEvent } from '../run-events.ts';
import type { NightPlan, Plan } from '../run-record.ts';
import { seconds } from './verdict-text.ts';

export interface NightTally {
  /** Those of the night, and of the probes of its rounds as they end. */
  hear(event: RunEvent): void;
  /** Fits 80 columns. `now`: epoch milliseconds. */
  short(now: number): string;
  /** `12 of 30 min left`; null where its rounds are counted, not its time. */
  left(now: number): string | null;
}

/** `startedAt`: epoch milliseconds. */
export function createTally(plan: Plan, night: NightPlan, startedAt: number): NightTally {
  let round = 1;
  let [ended, red, deaths] = [0, 0, 0];
  let last: RoundAccount | undefined;
  // What is spent lies before `since`, but for the time that a machine slept.
  let [since, spentMs] = [startedAt, 0];
  const isTimed = night.maxRounds === undefined || night.maxMs !== timeForRounds(night.maxRounds);

  function judged(account: RoundAccount): void {
    last = account;
    ended = 0;
    if (!account.partial) round = account.round + 1;
    if (!account.partial && account.verdict.outcome !== 'pass') red += 1;
    spentMs -= account.jumpMs;
  }

  const left = (now: number): string | null =>
    isTimed ? leftInWords(Math.max(0, night.maxMs - spentMs - (now - since)), night.maxMs) : null;

  return {
    hear(event) {
      if (event.type === 'probe_ended' || event.type === 'probe_broke') ended += 1;
      if (event.type === 'proxy_died') deaths += 1;
      if (event.type === 'round_judged') judged(event.account);
      if (event.type === 'resumed') {
        round = event.after + 1;
        [since, spentMs] = [event.at, event.spentMs ?? 0];
      }
    },
    left,
    short(now) {
      const { probes, alone } = roundOf(plan, night, round);
      const time = left(now);
      return [
        `round ${round}: ${ended}/${probes.length + alone.length} sent`,
        `${red} red, ${plural(deaths, 'death')}`,
        ...(last === undefined ? [] : [takenIn(last)]),
        ...(time === null ? [] : [time]),
      ].join('; ');
    },
  };
}

function leftInWords(ms: number, ofMs: number): string {
  // The round that has begun is carried out.
  if (ms === 0) return 'time is up';
  const minutes = (time: number): number => Math.round(time / 60_000);
  return ms < 120_000 ? `${Math.round(ms / 1000)} s left` : `${minutes(ms)} of ${minutes(ofMs)} min left`;
}

/** `152 MB, 5 ms`: as the round left the proxy, and by its median answer. */
function takenIn({ readings, answers }: RoundAccount): string {
  const memory = readings?.at(-1);
  const median = medianOf(answers);
  return [
    memory === undefined ? 'memory unread' : `${memory.rssMb.toFixed(0)} MB`,
    ...(median === undefined ? [] : [`${median.toFixed(0)} ms`]),
  ].join(', ');
}

const medianOf = (answers: RoundAccount['answers']): number | undefined =>
  answers.map(({ ms }) => ms).toSorted((a, b) => a - b)[answers.length >> 1];

/** All that a round came to. `at`: when it ended, epoch milliseconds; `left`: of the night, in words. */
export function heartbeat(account: RoundAccount, at: number, left: string | null): string {
  const { round, partial, protocol, sent, faults, deaths, verdict, readings, answers } = account;
  const { jumpMs, stalledMs, ms } = account;
  const last = readings?.at(-1);
  const median = medianOf(answers);
  const [first] = verdict.red;
  return [
    `round ${round}, ${new Date(at).toISOString().slice(11, 16)} UTC: ${partial ? 'interrupted, ' : ''}${verdict.outcome === 'pass' ? 'green' : `RED (${verdict.red.map(({ id }) => id).join(' ')})`}`,
    `HTTP/${protocol}, ${plural(sent, 'probe')}, ${plural(faults.length, 'fault')}, ${plural(deaths.length, 'death')} in ${seconds(ms)}`,
    last === undefined
      ? 'memory not readable'
      : `${last.rssMb.toFixed(0)} MB, ${plural(last.files, 'file')}, ${plural(last.sockets, 'socket')}`,
    // Of those that came: what timed out is none of them.
    ...(median === undefined ? [] : [`good plain answers in ${median.toFixed(0)} ms`]),
    ...(stalledMs > 0 ? [`the harness stood still for ${seconds(stalledMs)}`] : []),
    ...(Math.abs(jumpMs) > JUMP_MS ? [`the clock jumped by ${seconds(jumpMs)}`] : []),
    ...(left === null ? [] : [left]),
    ...(first === undefined ? [] : [`${first.id}: ${beginning(first.what)}`]),
  ].join('; ');
}

const JUMP_MS = 2_000;

const beginning = (text: string): string => (text.length > 160 ? `${text.slice(0, 160)}…` : text);
