/** The benchmark: what a proxy costs. `--help` tells the options, docs/performance.md the method. */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { HELP, readOptions } from './options.ts';
import { makePlan } from './plan.ts';
import { report } from './report.ts';
import type { Results } from './results.ts';
import { carryOut } from './run.ts';

const PAGE = new URL('../../docs/performance.md', import.meta.url);

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const plan = makePlan(options);
  const measured = await carryOut(plan, (step) => process.stderr.write(`${step}\n`));
  const results: Results = {
    machine: {
      cores: availableParallelism(),
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      node: process.versions.node,
    },
    date: new Date().toISOString(),
    command: ['npm run bench --', ...args].join(' '),
    reps: plan.reps,
    ms: plan.ms,
    skipped: plan.skipped,
    ...measured,
  };
  if (options.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  else process.stdout.write(`${report(results)}\n`);
  if (options.write) writePage(results);
  return [...results.cells, ...results.slow].some(({ failures }) => failures.length > 0) ? 1 : 0;
}

function writePage(results: Results): void {
  const [begin, end] = ['<!-- results: begin -->', '<!-- results: end -->'];
  const page = readFileSync(PAGE, 'utf8');
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error('docs/performance.md has lost the marks between which results go');
  const { cores, cpu, node } = results.machine;
  const facts = `\`${results.command}\`, ${results.date.slice(0, 10)}, ${cores} cores (${cpu}), Node ${node}; medians of ${results.reps} repetitions (range).`;
  writeFileSync(
    PAGE,
    `${page.slice(0, from + begin.length)}\n\n${facts}\n\n${report(results)}\n\n${page.slice(to)}`,
  );
}
