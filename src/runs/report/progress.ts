/** What a person sees while a run is under way: a live list on a terminal, plain lines elsewhere. */
import type { ListrTask } from 'listr2';
import { plural } from '../../analysis/plural.ts';
import { MOST_ROUNDS } from '../drivers.ts';
import { fateOf } from '../probe-ending.ts';
import type { RunEvent } from '../run-events.ts';
import type { NightPlan, Plan, PlannedProbe } from '../run-record.ts';
import { createTally, heartbeat, type NightTally } from './night-progress.ts';
import { seconds } from './verdict-text.ts';

export interface Progress {
  onEvent(event: RunEvent): void;
  /** Resolves once the screen is free for the verdict. */
  end(): Promise<void>;
}

/** One line for each thing that came to an end. */
export function plainProgress(write: (line: string) => void): Progress {
  let start: Start | undefined;
  return {
    onEvent(event) {
      if (event.type === 'run_started') start = startOf(event);
      const line = start === undefined ? null : lineOf(event, start);
      if (line !== null) write(`${line}\n`);
    },
    end: async () => {},
  };
}

interface Start extends Pick<Extract<RunEvent, { type: 'run_started' }>, 'plan' | 'at'> {
  /** Null of a run that is no night. */
  readonly tally: NightTally | null;
}

function startOf({ plan, at }: Extract<RunEvent, { type: 'run_started' }>): Start {
  const { driver } = plan;
  return { plan, at, tally: driver?.kind === 'overnight' ? createTally(plan, driver, at) : null };
}

function lineOf(event: RunEvent, { plan, at, tally }: Start): string | null {
  tally?.hear(event);
  switch (event.type) {
    case 'run_started':
      return `${plan.run}: ${sentIn(plan)}, seed ${plan.seed}`;
    case 'world_ready':
      return `ready after ${seconds(event.at - at)}`;
    case 'stage_started':
      return `stage ${event.name}`;
    case 'probe_started':
    case 'round_closed':
    case 'run_ended':
    case 'flaky':
    // Many a second where much else runs; the checks know.
    case 'machine_late':
      return null;
    case 'probe_ended':
      // Of a night they are counted: a line would be one of tens of thousands.
      if (tally !== null) return null;
      return `${event.result.id}: ${fateOf(event.result, plan)} after ${seconds(event.result.ms)}`;
    case 'round_ended':
      return `round ${event.round}: ${event.answered} answers, then killed`;
    case 'proxy_died':
      return `round ${event.round}: the proxy ${DEATHS[event.cause]}; it is started again`;
    case 'toggled':
      return `from round ${event.round} on the proxy speaks HTTP/${event.protocol}`;
    case 'round_judged':
      return heartbeat(event.account, event.at, tally?.left(event.at) ?? null);
    case 'resumed':
      return `goes on after round ${event.after}`;
    case 'probe_broke':
      return `${event.id}: ${event.problem}`;
    case 'interrupted':
    case 'broken':
      break;
  }
  return `${event.type}: ${event.note}`;
}

const DEATHS = { chaos: 'was killed', itself: 'DIED OF ITSELF', hung: 'HUNG, and was killed' } as const;

/** A line that is written over again and again, also while a round goes on; what is red stays. */
export function heartbeatProgress(
  stream: Pick<NodeJS.WriteStream, 'columns' | 'write'>,
  now: () => number = Date.now,
): Progress {
  let start: Start | undefined;
  const beat = (): void => {
    const line = start?.tally?.short(now());
    if (line !== undefined) stream.write(`\r\x1B[K${line.slice(0, Math.max(1, stream.columns - 1))}`);
  };
  const ticking = setInterval(beat, TICK_MS).unref();
  return {
    onEvent(event) {
      if (event.type === 'run_started') start = startOf(event);
      const line = start === undefined ? null : lineOf(event, start);
      if (line === null) return;
      const stays = event.type !== 'round_judged' || event.account.verdict.outcome !== 'pass';
      if (stays) stream.write(`\r\x1B[K${line}\n`);
      beat();
    },
    async end() {
      clearInterval(ticking);
      stream.write('\r\x1B[K');
    },
  };
}

/** Often enough to see that it goes on, and too seldom to be load. */
const TICK_MS = 2_000;

function nightIn({
  maxMs,
  perRound,
  width,
  chaos,
  maxRounds = MOST_ROUNDS,
  clients,
  until,
}: NightPlan): string {
  const who = clients === 'claude' ? 'Claude Code' : 'raw';
  const rounds = maxRounds === MOST_ROUNDS ? 'rounds' : plural(maxRounds, 'round');
  const each = `${rounds} of ${plural(perRound, 'probe')} (${who}, ${width} at once)${chaos ? ', faults and kills among them' : ''}`;
  // The first begins whatever the time.
  if (maxRounds === 1) return each;
  const time = plural(maxMs / 60_000, 'minute');
  return `${each}, ${maxRounds === MOST_ROUNDS ? 'for' : 'none begun after'} ${time}; ${ENDS[until]}`;
}

const ENDS = {
  red: 'the first red one ends it',
  green: 'the first wholly green one ends it, those before may be red',
  time: 'a red one does not end it',
} as const;

/** What a plan sends, in a few words. */
export function sentIn({ driver, waves }: Pick<Plan, 'driver' | 'waves'>): string {
  if (driver === undefined) return plural(waves.flat().length, 'probe');
  if (driver.kind === 'overnight') return nightIn(driver);
  return driver.kind === 'soak'
    ? `${plural(driver.rounds, 'round')} of ${seconds(driver.roundMs)}, each ended by kill -9`
    : `at most ${plural(driver.maxRequests, 'probe')} to ${driver.lane}`;
}

/** A task list that only mirrors the events: it decides nothing, and whatever it does not hear of ends with it. */
export async function liveProgress(stream: NodeJS.WriteStream): Promise<Progress> {
  const { DefaultRenderer, Listr, ListrLogger, ProcessOutput } = await import('listr2');
  /** Listr asks standard output whether it is a terminal; this list lives on another stream. */
  class LiveRenderer extends DefaultRenderer {
    static override nonTTY = true;
  }
  const logger = new ListrLogger({
    useIcons: true,
    toStderr: [],
    processOutput: new ProcessOutput(stream, stream),
  });
  const marks = createMarks();
  let shown: Promise<unknown> | undefined;
  let night: Progress | undefined;
  return {
    onEvent(event) {
      if (event.type === 'run_started' && event.plan.driver?.kind === 'overnight')
        night = heartbeatProgress(stream);
      else if (event.type === 'run_started') {
        const options = { concurrent: false, exitOnError: false, registerSignalListeners: false };
        const renderer = {
          renderer: LiveRenderer,
          rendererOptions: { logger, clearOutput: true, collapseSubtasks: false },
        };
        shown = new Listr(tasksOf(event.plan, marks), { ...options, ...renderer }).run();
      }
      // A night has no list, and would mark each of its probes.
      if (night === undefined) marks.hear(event);
      else night.onEvent(event);
    },
    async end() {
      marks.close();
      await night?.end();
      await shown;
    },
  };
}

function tasksOf(plan: Plan, marks: Marks): ListrTask[] {
  const probeTask = ({ id, client, lane }: PlannedProbe): ListrTask => ({
    title: `${id} (${client === 'claude' ? 'Claude Code' : 'raw'}, ${lane})`,
    task: () => marks.reached(id),
  });
  return [
    { title: 'Start upstreams and proxy', task: () => marks.reached(WORLD) },
    ...plan.waves.map((wave): ListrTask => {
      const [only, ...others] = wave.map(probeTask);
      if (only !== undefined && others.length === 0) return only;
      return {
        title: [
          wave.every(({ client }) => client === 'claude') ? 'Claude Code' : 'Raw probes',
          ...stageIn(wave),
        ].join(', stage '),
        task: (_, task) => task.newListr(wave.map(probeTask), { concurrent: true }),
      };
    }),
    ...drivenTasks(plan, marks),
    { title: 'Gather what the witnesses saw', task: () => marks.reached(END) },
  ];
}

function drivenTasks({ driver, ...plan }: Plan, marks: Marks): ListrTask[] {
  if (driver?.kind !== 'soak')
    return driver === undefined
      ? []
      : [{ title: `One after the other, ${sentIn({ driver, ...plan })}`, task: () => marks.reached(SENT) }];
  return Array.from({ length: driver.rounds }, (_, index) => ({
    title: `Load, round ${index + 1}`,
    task: () => marks.reached(roundNamed(index + 1)),
  }));
}

const stageIn = ([probe]: readonly PlannedProbe[]): string[] =>
  probe?.stage === undefined ? [] : [probe.stage];

const WORLD = 'world:ready';
const END = 'run:end';
/** Nobody tells of it: what is shown until the end of the run. */
const SENT = 'run:sent';
const roundNamed = (round: number): string => `round:${round}`;

interface Marks {
  hear(event: RunEvent): void;
  /** Resolves when the thing named has come to an end; rejects where that end was a bad one. */
  reached(name: string): Promise<void>;
  /** Nothing more will be heard: whatever is waited for counts as over. */
  close(): void;
}

function createMarks(): Marks {
  const marks = new Map<string, PromiseWithResolvers<void>>();
  let closed = false;
  const mark = (name: string): PromiseWithResolvers<void> => {
    const known = marks.get(name) ?? Promise.withResolvers<void>();
    // A mark that nobody waits for yet may fail without harm.
    known.promise.catch(() => {});
    marks.set(name, known);
    if (closed) known.resolve();
    return known;
  };
  return {
    hear(event) {
      if (event.type === 'world_ready') mark(WORLD).resolve();
      if (event.type === 'round_ended') mark(roundNamed(event.round)).resolve();
      if (event.type === 'probe_broke') mark(event.id).reject(new Error(event.problem));
      if (event.type === 'probe_ended') mark(event.result.id).resolve();
    },
    reached: (name) => mark(name).promise,
    close() {
      closed = true;
      for (const { resolve } of marks.values()) resolve();
    },
  };
}
