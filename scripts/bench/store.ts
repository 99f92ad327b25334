/**
 * What the store costs an exchange: the same ccp with it and without, in short turns, so that the machine's moods hit
 * both, and started anew by the way, as one process is a few per cent slower than the next for good.
 * `node scripts/bench/store.ts [TURNS]`
 */
import { CONTESTANTS } from './contestants.ts';
import { measureClients } from './measure.ts';
import { type Load, type Running, startContestant, startLoad, startUpstream } from './processes.ts';
import { verdictTable } from './report.ts';
import { medianBounds, quantile, spread } from './statistics.ts';
import { type Verdict, verdictOf } from './targets.ts';
import { WORKS } from './work.ts';

interface Trial {
  readonly work: string;
  readonly concurrency: number;
  readonly pauseMs: number;
  /** Of one turn: enough exchanges for a p99. */
  readonly ms: number;
}

const WORK_NAMES = ['json-1k', 'sse-1k'];
const TRIALS: readonly Trial[] = WORK_NAMES.flatMap((work) => [
  { work, concurrency: 1, pauseMs: 5, ms: 2_500 },
  { work, concurrency: 16, pauseMs: 0, ms: 500 },
  { work, concurrency: 1, pauseMs: 0, ms: 500 },
]);
/** How often both are started anew. */
const LIVES = 5;
const BREAK_IN = { concurrency: 16, pauseMs: 0, ms: 4_000 };
/** With the most that each may be of the same without a store. */
const QUANTILES = [
  { q: 0.5, limit: 1.03 },
  { q: 0.99, limit: 1.1 },
] as const;

/** Milliseconds of one turn at each of `QUANTILES`. */
type Turn = readonly number[];

async function takeTurn(load: Load, running: Running, { work: name, ...how }: Trial): Promise<Turn> {
  const work = WORKS.find((one) => one.name === name);
  if (work === undefined) throw new Error(`no such work: ${name}`);
  const { wholeMs } = await measureClients(load, running, { work, ...how });
  return QUANTILES.map(({ q }) => quantile(wholeMs, q));
}

interface Pair {
  readonly on: Turn;
  readonly off: Turn;
}

/** Turns of each trial, by two processes started for it. */
async function live(load: Load, upstreamPort: number, turns: number): Promise<Pair[][]> {
  const started: Running[] = [];
  try {
    for (const name of ['ccp', 'ccp-no-store']) {
      const contestant = CONTESTANTS.find((one) => one.name === name);
      if (contestant === undefined) throw new Error(`no contestant ${name}`);
      started.push(await startContestant(contestant, upstreamPort));
    }
    const [on, off] = started;
    if (on === undefined || off === undefined) return [];
    for (const work of WORK_NAMES)
      for (const one of started) await takeTurn(load, one, { work, ...BREAK_IN });
    const taken: Pair[][] = [];
    for (const trial of TRIALS) {
      const pairs: Pair[] = [];
      for (let turn = 0; turn < turns; turn += 1) {
        // Each goes first as often as the other.
        const first = turn % 2 === 0 ? await takeTurn(load, on, trial) : null;
        const second = await takeTurn(load, off, trial);
        pairs.push({ on: first ?? (await takeTurn(load, on, trial)), off: second });
      }
      taken.push(pairs);
    }
    return taken;
  } finally {
    await Promise.all(started.map((one) => one.stop()));
  }
}

async function main(turns: number): Promise<void> {
  const upstream = await startUpstream();
  const load = startLoad();
  try {
    const lives: Pair[][][] = [];
    for (let life = 1; life <= LIVES; life += 1) {
      lives.push(await live(load, upstream.port, Math.ceil(turns / LIVES)));
      process.stderr.write(`life ${life} of ${LIVES}\n`);
    }
    const measured = TRIALS.map((trial, at) =>
      measuredOf(
        trial,
        lives.flatMap((taken) => taken[at] ?? []),
      ),
    );
    const rows = measured.map(({ trial, cells }) => `| ${[nameOf(trial), ...cells].join(' | ')} |`);
    const verdicts = verdictTable(measured.flatMap((one) => one.verdicts));
    process.stdout.write(`${HEAD}${rows.join('\n')}\n\n${verdicts}\n`);
  } finally {
    await Promise.all([upstream, load].map((one) => one.stop()));
  }
}

const HEAD = `Milliseconds of a whole exchange with the store / without, medians of the turns; the ratio turn by turn, in brackets the
bounds in which its median lies (95 %).

| exchanges | p50 | ratio | p99 | ratio |
| --- | --- | --- | --- | --- |
`;

interface Measured {
  readonly trial: Trial;
  readonly cells: readonly string[];
  readonly verdicts: readonly Verdict[];
}

const nameOf = ({ work, concurrency, pauseMs }: Trial): string =>
  `${work}, ${concurrency} at once, ${pauseMs === 0 ? 'no pause' : `a pause of ${pauseMs} ms`}`;

function measuredOf(trial: Trial, taken: readonly Pair[]): Measured {
  const figures = QUANTILES.map(({ q, limit }, at) => {
    const [on, off] = [
      taken.map((turn) => turn.on[at] ?? Number.NaN),
      taken.map((turn) => turn.off[at] ?? Number.NaN),
    ];
    const { low, median, high } = medianBounds(on.map((value, index) => value / (off[index] ?? Number.NaN)));
    const target = `p${q * 100}, with a store / without: ${nameOf(trial)}`;
    return {
      cells: [
        `${spread(on).median.toFixed(3)} / ${spread(off).median.toFixed(3)}`,
        `${median.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`,
      ],
      verdict: verdictOf({ target, limit, atLeast: false, unit: '', value: median }),
    };
  });
  return {
    trial,
    cells: figures.flatMap(({ cells }) => cells),
    verdicts: figures.map(({ verdict }) => verdict),
  };
}

await main(Number(process.argv[2] ?? 40));
