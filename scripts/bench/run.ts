/** Carries out a plan: contestants take turns within each repetition, so that the machine's moods hit all alike. */
import type { Contestant } from './contestants.ts';
import { type ExchangeSample, type MemorySample, measureExchanges, measureMemory } from './measure.ts';
import type { Cell, Plan } from './plan.ts';
import { type Running, startContestant, startLoad, startUpstream } from './processes.ts';
import type { CellResult, SlowResult } from './results.ts';
import { WORKS, type Work } from './work.ts';

/** Told before each step, for a person who waits. */
export type Progress = (step: string) => void;

interface Attempt<T> {
  readonly contestant: string;
  readonly samples: T[];
  readonly failures: string[];
}

/** Starts everything, measures everything, ends everything. */
export async function carryOut(
  plan: Plan,
  progress: Progress,
): Promise<{ cells: CellResult[]; slow: SlowResult[] }> {
  const upstream = await startUpstream();
  const load = startLoad();
  try {
    return { cells: await runCells(), slow: await runSlow() };
  } finally {
    await Promise.all([upstream.stop(), load.stop()]);
  }

  async function runCells(): Promise<CellResult[]> {
    if (plan.cells.length === 0) return [];
    const started: Running[] = [];
    try {
      for (const contestant of plan.contestants)
        started.push(await startContestant(contestant, upstream.port));
      for (const running of started) await breakIn(running);
      const results: CellResult[] = [];
      for (const cell of plan.cells) results.push(...(await runCell(cell, started)));
      return results;
    } finally {
      await Promise.all(started.map((running) => running.stop()));
    }
  }

  /** Steady state is what is measured: compilers that learn from what they run get something to learn from. */
  async function breakIn(running: Running): Promise<void> {
    const works = new Set(plan.cells.map(({ work }) => work).filter(({ shape }) => shape !== 'paced'));
    for (const work of works) {
      progress(`breaking in ${work.name} ${running.contestant.name}`);
      const options = { work, concurrency: 16, warmMs: 1, ms: plan.breakInMs };
      // What goes wrong here goes wrong again where it is counted.
      await measureExchanges(load, running, options).catch(() => null);
    }
  }

  async function runCell({ work, concurrency }: Cell, started: readonly Running[]): Promise<CellResult[]> {
    // A paced stream lasts as long as its events take: one each is a measurement.
    const { warmMs, ms } = work.shape === 'paced' ? { warmMs: 1, ms: 1 } : plan;
    const attempts = await takeTurns<Running, ExchangeSample>(
      started,
      ({ contestant }) => contestant.name,
      (running) => {
        progress(`${work.name} c${concurrency} ${running.contestant.name}`);
        return measureExchanges(load, running, { work, concurrency, warmMs, ms });
      },
    );
    return attempts.map((attempt) => ({ work: work.name, concurrency, ...attempt }));
  }

  async function runSlow(): Promise<SlowResult[]> {
    const results: SlowResult[] = [];
    const weighed = plan.contestants.filter(({ name }) => name !== 'direct');
    for (const work of plan.slow) {
      const attempts = await takeTurns<Contestant, MemorySample>(
        weighed,
        ({ name }) => name,
        (contestant) => {
          progress(`${work.name} ×${plan.streams} ${contestant.name}`);
          return weigh(contestant, work);
        },
      );
      results.push(...attempts.map((attempt) => ({ work: work.name, streams: plan.streams, ...attempt })));
    }
    return results;
  }

  async function weigh(contestant: Contestant, work: Work): Promise<MemorySample> {
    const warmWork =
      WORKS.find(({ shape, bodyBytes }) => shape === 'sse' && bodyBytes === work.bodyBytes) ?? work;
    const running = await startContestant(contestant, upstream.port);
    try {
      return await measureMemory(load, running, { ...plan, work, warmWork });
    } finally {
      await running.stop();
    }
  }

  /** Each repetition starts with another contestant: what comes first on a cold cache is not always the same. */
  async function takeTurns<C, T>(
    contestants: readonly C[],
    nameOf: (contestant: C) => string,
    measure: (contestant: C) => Promise<T>,
  ): Promise<Attempt<T>[]> {
    const turns = contestants.map((contestant) => ({
      contestant,
      attempt: { contestant: nameOf(contestant), samples: [], failures: [] } as Attempt<T>,
    }));
    for (let rep = 0; rep < plan.reps; rep += 1) {
      const first = rep % turns.length;
      for (const { contestant, attempt } of [...turns.slice(first), ...turns.slice(0, first)]) {
        await measure(contestant).then(
          (sample) => attempt.samples.push(sample),
          (error: unknown) => attempt.failures.push(error instanceof Error ? error.message : String(error)),
        );
      }
    }
    return turns.map(({ attempt }) => attempt);
  }
}
