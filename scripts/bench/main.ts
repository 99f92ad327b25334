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
/** The benchmarks that are programs of their own, and their places in the page. */
const PROGRAMS: ReadonlyMap<string, { readonly script: URL; readonly section: string }> = new Map([
  ['summarize', { script: new URL('./summarize.ts', import.meta.url), section: 'analyzer' }],
  ['store', { script: new URL('./store.ts', import.meta.url), section: 'store' }],
  ['meter', { script: new URL('./meter.ts', import.meta.url), section: 'meter' }],
  ['quota', { script: new URL('./quota.ts', import.meta.url), section: 'quota' }],
]);

const program = PROGRAMS.get(first ?? '');
process.exitCode = program === undefined ? await proxies(process.argv.slice(2)) : run(program);

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

function run({ script, section }: { readonly script: URL; readonly section: string }): number {
  const own = rest.filter((arg) => arg !== '--write');
  const text = execFileSync(process.execPath, [fileURLToPath(script), ...own], { encoding: 'utf8' });
  process.stdout.write(text);
  if (rest.includes('--write'))
    writeSection(PAGE, section, `${facts(provenance([first ?? '', ...rest]))}\n\n${text}`);
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
