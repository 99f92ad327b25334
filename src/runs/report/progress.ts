/** What a person sees while a run is under way: a live list on a terminal, plain lines elsewhere. */
import type { ListrTask } from 'listr2';
import { plural } from '../../analysis/plural.ts';
import type { RoundAccount } from '../../protocol/witness.ts';
import { fateOf } from '../probe-ending.ts';
import type { RunEvent } from '../run-events.ts';
import type { NightPlan, Plan, PlannedProbe } from '../run-record.ts';
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
      if (event.type === 'run_started') start = event;
      const line = start === undefined ? null : lineOf(event, start);
      if (line !== null) write(`${line}\n`);
    },
    end: async () => {},
  };
}

type Start = Extract<RunEvent, { type: 'run_started' }>;

function lineOf(event: RunEvent, { plan, at }: Start): string | null {
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
      return `${event.result.id}: ${fateOf(event.result, plan)} after ${seconds(event.result.ms)}`;
    case 'round_ended':
      return `round ${event.round}: ${event.answered} answers, then killed`;
    case 'proxy_died':
      return `round ${event.round}: the proxy ${DEATHS[event.cause]}; it is started again`;
    case 'toggled':
      return `from round ${event.round} on the proxy speaks HTTP/${event.protocol}`;
    case 'round_judged':
      return heartbeat(event.account, event.at);
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

/** One line that says how a night goes. */
function heartbeat(
  {
    round,
    partial,
    protocol,
    sent,
    faults,
    deaths,
    verdict,
    readings,
    answers,
    jumpMs,
    stalledMs,
    ms,
  }: RoundAccount,
  at: number,
): string {
  const last = readings?.at(-1);
  const slow = answers.map((one) => one.ms).toSorted((a, b) => a - b)[answers.length >> 1];
  return [
    `round ${round}, ${new Date(at).toISOString().slice(11, 16)} UTC: ${partial ? 'interrupted, ' : ''}${verdict.outcome === 'pass' ? 'green' : `RED (${verdict.red.map(({ id }) => id).join(' ')})`}`,
    `HTTP/${protocol}, ${plural(sent, 'probe')}, ${plural(faults.length, 'fault')}, ${plural(deaths.length, 'death')} in ${seconds(ms)}`,
    last === undefined
      ? 'memory not readable'
      : `${last.rssMb.toFixed(0)} MB, ${plural(last.files, 'file')}, ${plural(last.sockets, 'socket')}`,
    ...(slow === undefined ? [] : [`answers in ${slow.toFixed(0)} ms`]),
    ...(stalledMs > 0 ? [`the harness stood still for ${seconds(stalledMs)}`] : []),
    ...(Math.abs(jumpMs) > JUMP_MS ? [`the clock jumped by ${seconds(jumpMs)}`] : []),
  ].join('; ');
}

const JUMP_MS = 2_000;

/** A line that is written over again and again; what is red stays. */
function heartbeatProgress(stream: NodeJS.WriteStream): Progress {
  let start: Start | undefined;
  return {
    onEvent(event) {
      if (event.type === 'run_started') start = event;
      const line = start === undefined ? null : lineOf(event, start);
      if (line === null) return;
      const width = Math.max(1, stream.columns - 1);
      const stays = event.type !== 'round_judged' || event.account.verdict.outcome !== 'pass';
      stream.write(`\r\x1B[K${stays ? `${line}\n` : line.slice(0, width)}`);
    },
    end: async () => void stream.write('\r\x1B[K'),
  };
}

function nightIn({ maxMs, perRound, width, chaos, maxRounds, clients }: NightPlan): string {
  const who = clients === 'claude' ? 'Claude Code' : 'raw';
  const most = maxRounds === undefined ? '' : `, at most ${maxRounds}`;
  return `rounds of ${plural(perRound, 'probe')} (${who}, ${width} at once)${chaos ? ', faults and kills among them' : ''}, for ${seconds(maxMs)}${most}`;
}

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
      marks.hear(event);
      night?.onEvent(event);
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
