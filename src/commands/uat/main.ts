/** The commands of `ccp-uat`. What a command does is imported when it is run, so that the rest costs no start-up. */
import { Argument, type Command } from 'commander';
import { nearestName } from '../../config/nearest-name.ts';
import { completionScript, SHELLS, type Shell } from '../shared/completion.ts';
import { AS_JSON, type Exit, examples, type Json } from '../shared/declare.ts';
import { type Host, processHost } from '../shared/host.ts';
import { runProgram } from '../shared/run-program.ts';
import { processTerminal, type Terminal } from '../shared/terminal.ts';
import { addBundles } from './bundles.ts';
import type { RunFlags } from './run.ts';
import { OWN_OPTIONS, withRunOptions } from './run-options.ts';
import { someText } from './typed.ts';

/** Runs `ccp-uat` with the arguments after its name; gives the exit code. */
export function main(
  argv: readonly string[],
  host: Host = processHost(),
  terminal: Terminal = processTerminal(),
): Promise<number> {
  return runProgram({
    name: 'ccp-uat',
    host,
    argv,
    build: (program, exit) => build(program, { host: { ...host, argv }, terminal, exit }),
    nearestName,
  });
}

interface Surroundings {
  readonly host: Host;
  readonly terminal: Terminal;
  readonly exit: Exit;
}

interface SelftestTyped extends Json {
  readonly full?: boolean;
  readonly seed?: string;
  readonly keep?: string;
}

function build(program: Command, surroundings: Surroundings): void {
  const { host } = surroundings;
  program
    .description('Proves that ccp relays Claude Code faithfully, and reads what it logged.')
    .addHelpText('after', examples('ccp-uat repro-go-quick', 'ccp-uat run haiku-zai', 'ccp-uat report'))
    .addHelpText(
      'after',
      '\nExit codes: 0 all good, 1 a check failed, 2 wrong usage, 3 not ready, 130 interrupted.\n',
    );
  addRuns(program, surroundings);
  addStored(program, surroundings);
  addAnalyzers(program, surroundings);
  addBundles(program, surroundings);
  program
    .command('completion')
    .description('print a completion script for a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', examples('eval "$(ccp-uat completion bash)"', 'ccp-uat completion fish | source'))
    .action((shell: Shell) => host.out.write(completionScript(program, shell)));
}

/** Suites that operators and their CI have a command of their own for. */
const NAMED_RUNS = [
  ['repro-go-quick', 'the quick proof: one haiku and one sonnet call, verdict in seconds'],
  ['repro-go', 'the full proof: three calls a model, and all gates'],
  ['verify-sse', 'one long stream, judged event by event'],
  ['smoke-license', 'community, trial, community and wrong licences, the proxy restarted between them'],
  ['soak-persist', 'rounds of load, each ended by kill -9; what the store lost, the log must give back'],
  ['probe-limits', "look for the limit of a provider's window, one small request after the other"],
  ['overnight', 'rounds of probes over both lanes until time is up, each judged as it ends'],
  ['longrun', 'one client for long, haiku and sonnet in turn'],
  ['parallel', 'several clients at once'],
] as const;

function addRuns(program: Command, { host, terminal, exit }: Surroundings): void {
  for (const [name, description] of NAMED_RUNS) {
    const command = withRunOptions(program.command(name).description(description));
    const own = OWN_OPTIONS.get(name)?.(command) ?? [];
    command
      .addHelpText(
        'after',
        examples(`ccp-uat ${name}`, ...own, `ccp-uat ${name} --dry-run`, `ccp-uat ${name} --json`),
      )
      .action(async () => {
        const { run } = await import('./run.ts');
        const width: unknown = command.processedArgs[0];
        const flags = {
          ...command.opts<RunFlags>(),
          ...(typeof width === 'number' && { width }),
          typed: typedOptions(command),
        };
        exit(await run(host, terminal, [name], flags));
      });
  }
  withRunOptions(program.command('run').description('run the suites named, or all of them'))
    .argument('[suite...]', 'names of suites, see "ccp-uat list"')
    .addHelpText(
      'after',
      examples(
        'ccp-uat run haiku-zai',
        'ccp-uat run repro-go --only ROUTE-01 --seed 5eed',
        'ccp-uat run verify-sse quota --repeat-each 10 --workers 2',
        'ccp-uat run --shard 1/3 --dry-run',
        'ccp-uat run --last-failed',
      ),
    )
    .action(async (suites: readonly string[], flags: RunFlags) => {
      const { run } = await import('./run.ts');
      exit(await run(host, terminal, suites, flags));
    });
  program
    .command('selftest')
    .description('break the surroundings on purpose, one saboteur at a time, and demand that a check notices')
    .argument('[saboteur...]', 'names of saboteurs, see "ccp-uat list --saboteurs" (default: all of them)')
    .option('--full', 'try each in every suite that it touches, not only where it shows soonest')
    .option('--seed <text>', 'same seed, same faults (default: drawn)', someText)
    .option(
      '--keep <folder>',
      'keep the run that each saboteur broke, with its report.html, in SUITE/SABOTEUR there; new or empty',
      someText,
    )
    .option(...AS_JSON)
    .addHelpText(
      'after',
      examples(
        'ccp-uat selftest',
        'ccp-uat selftest usage-doubled --full',
        'ccp-uat selftest ping-swallowed --keep results/broken',
        'ccp-uat selftest --json',
      ),
    )
    .action(
      async (saboteurs: readonly string[], { full = false, seed, keep, json = false }: SelftestTyped) => {
        const { selftest } = await import('./selftest.ts');
        exit(await selftest(host, terminal, { saboteurs, full, seed, keep, json }));
      },
    );
}

/** Long names of the options that were typed, and not left at their default. */
const typedOptions = (command: Command): string[] =>
  command.options.flatMap((option) =>
    command.getOptionValueSource(option.attributeName()) === 'cli' ? (option.long ?? []) : [],
  );

function addStored(program: Command, { host, exit }: Surroundings): void {
  program
    .command('list')
    .description('show the suites, or what those named prove')
    .argument('[suite...]', 'names of suites (default: all, in a line each)')
    .option(
      '--saboteurs',
      'what "ccp-uat selftest" can break, and which checks must notice; of the suites named',
    )
    .option(...AS_JSON)
    .addHelpText(
      'after',
      examples(
        'ccp-uat list',
        'ccp-uat list quota',
        'ccp-uat list --saboteurs',
        "ccp-uat list --json | jq '.suites[].name'",
      ),
    )
    .action(
      async (
        names: readonly string[],
        { saboteurs = false, json = false }: Json & { readonly saboteurs?: boolean },
      ) => {
        const { list } = await import('./list.ts');
        exit(await list(host, { names, saboteurs, json }));
      },
    );
  program
    .command('report')
    .description("judge a stored run again, by today's checks; also one that died")
    .argument('[run]', 'its folder or its name (default: the newest)')
    .option(...AS_JSON)
    .addHelpText('after', examples('ccp-uat report', 'ccp-uat report results/runs/20260101T000000Z-repro-go'))
    .action(async (run: string | undefined, { json = false }: Json) => {
      const { report } = await import('./report.ts');
      exit(await report(host, { run, json }));
    });
}

/** Commands that read a usage log. */
const ANALYZERS = [
  ['summarize', 'count requests, tokens, errors and times in a usage log'],
  ['verify-routing', 'audit where requests went: no haiku on the Anthropic lane'],
  ['hygiene', 'search a usage log for credentials'],
  ['productize-check', 'fail on a Z.AI header or haiku on the Anthropic lane, or missing metrics'],
] as const;

function addAnalyzers(program: Command, { host, exit }: Surroundings): void {
  for (const [name, description] of ANALYZERS) {
    program
      .command(name)
      .description(description)
      .argument('[log]', 'a usage log, or - for standard input (default: usage.jsonl in the logs folder)')
      .option('--rotated', 'read the rotated copies beside it, too, oldest first')
      .option(...AS_JSON)
      .addHelpText(
        'after',
        examples(`ccp-uat ${name}`, `ccp-uat ${name} logs/usage_go_repro_quick.jsonl --json`),
      )
      .action(
        async (
          log: string | undefined,
          { rotated = false, json = false }: Json & { readonly rotated?: boolean },
        ) => {
          const { analyze } = await import('./analyze.ts');
          exit(await analyze(host, name, { log, rotated, json }));
        },
      );
  }
}
