/** The commands of `ccp-uat`. What a command does is imported when it is run, so that the rest costs no start-up. */
import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import type { Shard } from '../../ccp-uat.ts';
import { completionScript, SHELLS, type Shell } from '../shared/completion.ts';
import { type Host, processHost } from '../shared/host.ts';
import { runProgram } from '../shared/run-program.ts';
import { processTerminal, type Terminal } from '../shared/terminal.ts';
import { addBundles } from './bundles.ts';
import type { RunFlags } from './run.ts';

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
  });
}

interface Surroundings {
  readonly host: Host;
  readonly terminal: Terminal;
  readonly exit: (code: number) => void;
}

interface Json {
  readonly json?: boolean;
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
  addBundles(program, surroundings, wholeNumber);
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

/** What some of them take beside the options of every run. */
const OWN_OPTIONS: Readonly<Record<string, (command: Command) => Command>> = {
  'smoke-license': withSmokeOptions,
  'soak-persist': withSoakOptions,
  'probe-limits': withLimitOptions,
  overnight: withNightOptions,
  longrun: withLongrunOptions,
  parallel: withParallelOptions,
};

function addRuns(program: Command, { host, terminal, exit }: Surroundings): void {
  for (const [name, description] of NAMED_RUNS) {
    const command = withRunOptions(program.command(name).description(description));
    OWN_OPTIONS[name]?.(command);
    command
      .addHelpText(
        'after',
        examples(`ccp-uat ${name}`, `ccp-uat ${name} --dry-run`, `ccp-uat ${name} --json`),
      )
      .action(async () => {
        const { run } = await import('./run.ts');
        const width: unknown = command.processedArgs[0];
        const flags = { ...command.opts<RunFlags>(), ...(typeof width === 'number' && { width }) };
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

function withRunOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--upstream <kind>', 'what stands behind the proxy')
        .choices(['mock', 'real'])
        .default('mock'),
    )
    .addOption(
      new Option('--client <kind>', 'auto: Claude Code where it is found, and raw probes beside it')
        .choices(['auto', 'claude', 'curl'])
        .default('auto'),
    )
    .option('--target <what>', 'what is under test: builtin, a URL, or a command with {port}', 'builtin')
    .addOption(
      new Option(
        '--license <which>',
        'what the proxy has for a licence: one minted for the run, none, or your own, as "ccp serve" would find it (default: trial, with --upstream real env)',
      ).choices(['trial', 'none', 'env']),
    )
    .option('--timeout-secs <seconds>', "limit of each probe (default: the suite's own)")
    .option('--seed <text>', 'same seed, same canaries and upstream behaviour (default: drawn)', someText)
    .option('--run-dir <folder>', 'where the run is stored (default: a new folder in results/runs)')
    .option('--only <name...>', 'judge by these checks alone; where probes are named, send these alone')
    .option(
      '--repeat-each <n>',
      'run each suite so many times; a check that changes its mind is red',
      wholeNumber,
    )
    .option('--shard <i/n>', 'of all runs only the i-th of n parts, e.g. 2/3', someShard)
    .option('--workers <n>', 'runs at the same time (default: 1, as the checks measure time)', fewWorkers)
    .option(
      '--last-failed',
      'only what was red, each check by the newest run that judged it; overnight, longrun and parallel only where they are named',
    )
    .addOption(new Option('--fail-fast', 'send nothing more once a probe went wrong').conflicts('keepGoing'))
    .option('--keep-going', 'send everything whatever happens (the default)')
    .option('--allow-inconclusive', 'exit 0 also where a check had too little evidence')
    .option('--dry-run', 'print the plan and what it would spend; nothing is started')
    .option('--yes', 'with --upstream real: do not ask')
    .option(...AS_JSON);
}

function withSmokeOptions(command: Command): Command {
  return command
    .option(
      '--lanes <lanes>',
      'send only what goes to these or is kept from them, e.g. zai: haiku (default: anthropic,zai)',
      someText,
    )
    .option('--login', 'get the trial from an issuer of the run, by "ccp license login"')
    .addHelpText('after', examples('ccp-uat smoke-license --login', 'SMOKE_LANES=zai ccp-uat smoke-license'));
}

function withSoakOptions(command: Command): Command {
  return command
    .option('--rounds <n>', 'how often it is killed (default: 3)', wholeNumber)
    .option('--minutes <n>', 'of load, all rounds together (default: 2 seconds a round)', someMinutes)
    .addHelpText('after', examples('ccp-uat soak-persist --rounds 50', 'ccp-uat soak-persist --minutes 60'));
}

function withLimitOptions(command: Command): Command {
  return command
    .addOption(new Option('--lane <lane>', 'whose limit (default: zai)').choices(['anthropic', 'zai']))
    .option('--max-requests <n>', 'give up after so many (default: 100)', wholeNumber)
    .addHelpText(
      'after',
      examples('ALLOW_REAL_API=1 ccp-uat probe-limits --upstream real --max-requests 200 --license env'),
    );
}

function withNightOptions(command: Command): Command {
  return command
    .option(
      '--max-minutes <n>',
      'when to end, time that the machine sleeps not counted (default: 30)',
      someMinutes,
    )
    .option('--sleep-between <seconds>', 'from one round to the next (default: 2)', someSeconds)
    .addOption(
      new Option(
        '--until-green',
        'end at the first round that is wholly green (default: at the first red one)',
      ).conflicts('soak'),
    )
    .option('--soak', 'go on until time is up, whatever happens')
    .option('--chaos', 'faults of the upstreams and kill -9 of the proxy, drawn from the seed')
    .option('--resume [run]', 'go on with a night that was interrupted or killed (default: the newest)')
    .option('--max-requests <n>', 'with --upstream real: send no more than these (default: 500)', wholeNumber)
    .addHelpText(
      'after',
      examples(
        'ccp-uat overnight --max-minutes 480 --chaos --soak',
        'ccp-uat overnight --resume',
        'ALLOW_REAL_API=1 ccp-uat overnight --max-minutes 60 --upstream real --max-requests 100',
      ),
    );
}

function withLongrunOptions(command: Command): Command {
  return command
    .option(
      '--rounds <n>',
      'of four calls each (default: 5, with --minutes as many as there is time for)',
      wholeNumber,
    )
    .option('--minutes <n>', 'end after so long; with --rounds too, whichever comes first', someMinutes)
    .option('--max-requests <n>', 'with --upstream real: send no more than these (default: 50)', wholeNumber)
    .addHelpText(
      'after',
      examples('ccp-uat longrun --minutes 30', 'ccp-uat longrun --client curl --rounds 100'),
    );
}

function withParallelOptions(command: Command): Command {
  return command
    .argument('[clients]', 'how many at once (default: 4)', someClients)
    .option('--rounds <n>', 'how often (default: 1)', wholeNumber)
    .addHelpText('after', examples('ccp-uat parallel 8', 'ccp-uat parallel 64 --client curl'));
}

function someClients(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is no whole number from 1 to 999.');
}

function someSeconds(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) <= MOST_PAUSE_S) return Number(text);
  throw new InvalidArgumentError(`It is no number of seconds up to ${MOST_PAUSE_S}.`);
}

/** A day. */
const MOST_PAUSE_S = 86_400;

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is no whole number from 1 on.');
}

function fewWorkers(text: string): number {
  const workers = wholeNumber(text);
  if (workers <= MOST_WORKERS) return workers;
  throw new InvalidArgumentError(`At most ${MOST_WORKERS} runs go on at the same time.`);
}

/** Each has a proxy, two upstreams and clients: more would judge the machine. */
const MOST_WORKERS = 16;

function someShard(text: string): Shard {
  const [, index = 0, count = 0] = (/^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []).map(Number);
  if (index >= 1 && index <= count) return { index, count };
  throw new InvalidArgumentError('It is no part of a whole: 2/3 is the second of three.');
}

function someMinutes(text: string): number {
  const minutes = Number(text);
  if (/^\d/.test(text) && minutes > 0 && minutes <= MOST_MINUTES) return minutes;
  throw new InvalidArgumentError(`It is no number of minutes up to ${MOST_MINUTES}.`);
}

/** Two days. */
const MOST_MINUTES = 2880;

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

/** An empty seed is the unset variable of a script, not a choice. */
function someText(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('It is empty.');
}

const AS_JSON = ['--json', 'print one JSON document'] as const;

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}
