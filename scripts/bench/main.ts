/** The benchmark: what a proxy costs. `--help` tells the options, docs/performance.md the method. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { HELP, readOptions } from './options.ts';
import { PAGE, writeSection } from './page.ts';
import { makePlan } from './plan.ts';
import { report } from './report.ts';
import type { Results } from './results.ts';
import { carryOut } from './run.ts';

const [first, ...rest] = process.argv.slice(2);
process.exitCode = first === 'summarize' ? analyzer(rest) : await proxies(process.argv.slice(2));

async function proxies(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (typeof options === 'string') {
    process.stderr.write(`bench: ${options}\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const plan = makePlan(options);
  const measured = await carryOut(plan, (step) => process.stderr.write(`${step}\n`));
  const { skipped, reps, ms } = plan;
  const results: Results = { ...provenance(args), skipped, reps, ms, ...measured };
  process.stdout.write(options.json ? `${JSON.stringify(results, null, 2)}\n` : `${report(results)}\n`);
  if (options.write) {
    const repetitions = `Medians of ${reps} repetitions of ${ms} ms, their range in brackets.`;
    writeSection(PAGE, 'proxy', `${facts(results)} ${repetitions}\n\n${report(results)}`);
  }
  return [...results.cells, ...results.slow].some(({ failures }) => failures.length > 0) ? 1 : 0;
}

/** The analyzer's benchmark is a program of its own; here it gets its place in the page. */
function analyzer(args: readonly string[]): number {
  const program = fileURLToPath(new URL('./summarize.ts', import.meta.url));
  const own = args.filter((arg) => arg !== '--write');
  const text = execFileSync(process.execPath, [program, ...own], { encoding: 'utf8' });
  process.stdout.write(text);
  if (args.includes('--write'))
    writeSection(PAGE, 'analyzer', `${facts(provenance(['summarize', ...args]))}\n\n${text}`);
  return 0;
}

type Provenance = Pick<Results, 'machine' | 'date' | 'command'>;

function provenance(args: readonly string[]): Provenance {
  const cpu = cpus()[0]?.model.trim() ?? 'unknown';
  return {
    machine: { cores: availableParallelism(), cpu, node: process.versions.node },
    date: new Date().toISOString(),
    command: ['npm run bench --', ...args].join(' '),
  };
}

function facts({ machine: { cores, cpu, node }, date, command }: Provenance): string {
  return `\`${command}\`, ${date.slice(0, 10)}, ${cores} cores (${cpu}), Node ${node}.`;
}
