/**
 * What the store costs an exchange: the same ccp with it and without, in short turns, so that the machine's moods hit
 * both. `node scripts/bench/store.ts [TURNS]`
 */
import { CONTESTANTS } from './contestants.ts';
import { measureClients } from './measure.ts';
import { type Load, type Running, startContestant, startLoad, startUpstream } from './processes.ts';
import { medianBounds, quantile, spread } from './statistics.ts';
import { WORKS } from './work.ts';

interface Trial {
  readonly work: string;
  readonly concurrency: number;
  readonly pauseMs: number;
  /** Of one turn: enough exchanges for a p99. */
  readonly ms: number;
}

const TRIALS: readonly Trial[] = ['json-1k', 'sse-1k'].flatMap((work) => [
  { work, concurrency: 1, pauseMs: 5, ms: 2_500 },
  { work, concurrency: 16, pauseMs: 0, ms: 500 },
  { work, concurrency: 1, pauseMs: 0, ms: 500 },
]);
const BREAK_IN = { concurrency: 16, pauseMs: 0, ms: 4_000 };
const QUANTILES = [0.5, 0.99] as const;

/** Milliseconds of one turn at each of `QUANTILES`. */
type Turn = readonly number[];

async function takeTurn(load: Load, running: Running, { work: name, ...how }: Trial): Promise<Turn> {
  const work = WORKS.find((one) => one.name === name);
  if (work === undefined) throw new Error(`no such work: ${name}`);
  const { wholeMs } = await measureClients(load, running, { work, ...how });
  return QUANTILES.map((q) => quantile(wholeMs, q));
}

async function main(turns: number): Promise<void> {
  const upstream = await startUpstream();
  const load = startLoad();
  const started: Running[] = [];
  try {
    for (const name of ['ccp', 'ccp-no-store']) {
      const contestant = CONTESTANTS.find((one) => one.name === name);
      if (contestant === undefined) throw new Error(`no contestant ${name}`);
      started.push(await startContestant(contestant, upstream.port));
    }
    const [on, off] = started;
    if (on === undefined || off === undefined) return;
    for (const { work } of TRIALS)
      for (const one of started) await takeTurn(load, one, { work, ...BREAK_IN });
    const rows: string[] = [];
    for (const trial of TRIALS) {
      const taken: { on: Turn; off: Turn }[] = [];
      for (let turn = 0; turn < turns; turn += 1) {
        // Each goes first as often as the other.
        const first = turn % 2 === 0 ? await takeTurn(load, on, trial) : null;
        const second = await takeTurn(load, off, trial);
        taken.push({ on: first ?? (await takeTurn(load, on, trial)), off: second });
      }
      rows.push(rowOf(trial, taken));
      process.stderr.write(`${rows.at(-1)}\n`);
    }
    process.stdout.write(`${HEAD}${rows.join('\n')}\n`);
  } finally {
    await Promise.all([...started, upstream, load].map((one) => one.stop()));
  }
}

const HEAD = `Milliseconds of a whole exchange with the store / without, medians of the turns, and the ratio turn by turn with the
bounds in which its median lies (95 %).

| work | at once | pause | p50 | ratio | p99 | ratio |
| --- | --- | --- | --- | --- | --- | --- |
`;

function rowOf({ work, concurrency, pauseMs }: Trial, taken: readonly { on: Turn; off: Turn }[]): string {
  const figures = QUANTILES.flatMap((_, at) => {
    const [on, off] = (['on', 'off'] as const).map((name) =>
      taken.map((turn) => turn[name][at] ?? Number.NaN),
    );
    if (on === undefined || off === undefined) return [];
    const ratios = on.map((value, index) => value / (off[index] ?? Number.NaN));
    const { low, median, high } = medianBounds(ratios);
    return [
      `${spread(on).median.toFixed(3)} / ${spread(off).median.toFixed(3)}`,
      `${median.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`,
    ];
  });
  return `| ${[work, concurrency, pauseMs === 0 ? 'none' : `${pauseMs} ms`, ...figures].join(' | ')} |`;
}

await main(Number(process.argv[2] ?? 40));
