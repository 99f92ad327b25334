/** The options of the commands that carry out runs. */
import { type Command, Option } from 'commander';
import { AS_JSON } from '../shared/declare.ts';
import {
  fewWorkers,
  someClients,
  someMinutes,
  someSeconds,
  someShard,
  someText,
  wholeNumber,
} from './typed.ts';

/** Those of every run. */
export function withRunOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--upstream <kind>', 'what stands behind the proxy')
        .choices(['mock', 'real'])
        .default('mock'),
    )
    .addOption(
      new Option(
        '--client <kind>',
        'who asks: claude (Claude Code alone), curl (raw probes alone, as curl would send them, and without it), or auto: both, where Claude Code is found',
      )
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
      'only what was red, each check by the newest run that judged it; overnight, longrun, parallel and crowd-waves only where they are named',
    )
    .addOption(new Option('--fail-fast', 'send nothing more once a probe went wrong').conflicts('keepGoing'))
    .option('--keep-going', 'send everything whatever happens (the default)')
    .option('--allow-inconclusive', 'exit 0 also where a check had too little evidence')
    .option('--dry-run', 'print the plan and what it would spend; nothing is started')
    .option('--yes', 'with --upstream real: do not ask')
    .option(...AS_JSON);
}

/** Declares what some suites take beside the options of every run; gives examples of it. */
export const OWN_OPTIONS: ReadonlyMap<string, (command: Command) => readonly string[]> = new Map([
  ['smoke-license', withSmokeOptions],
  ['soak-persist', withSoakOptions],
  ['probe-limits', withLimitOptions],
  ['overnight', withNightOptions],
  ['longrun', withLongrunOptions],
  ['parallel', withParallelOptions],
]);

function withSmokeOptions(command: Command): string[] {
  command
    .option(
      '--lanes <lanes>',
      'send only what goes to these or is kept from them, e.g. zai: haiku (default: anthropic,zai)',
      someText,
    )
    .option('--login', 'get the trial from an issuer of the run, by "ccp license login"');
  return ['ccp-uat smoke-license --login', 'SMOKE_LANES=zai ccp-uat smoke-license'];
}

function withSoakOptions(command: Command): string[] {
  command
    .option('--rounds <n>', 'how often it is killed (default: 3)', wholeNumber)
    .option('--minutes <n>', 'of load, all rounds together (default: 2 seconds a round)', someMinutes);
  return ['ccp-uat soak-persist --rounds 50', 'ccp-uat soak-persist --minutes 60'];
}

function withLimitOptions(command: Command): string[] {
  command
    .addOption(new Option('--lane <lane>', 'whose limit (default: zai)').choices(['anthropic', 'zai']))
    .option('--max-requests <n>', 'give up after so many (default: 100)', wholeNumber);
  return ['ALLOW_REAL_API=1 ccp-uat probe-limits --upstream real --max-requests 200 --license env'];
}

function withNightOptions(command: Command): string[] {
  command
    .option(
      '--max-minutes <n>',
      'when to end, time that the machine sleeps not counted (default: 30)',
      someMinutes,
    )
    .option('--sleep-between <seconds>', 'from one round to the next (default: 2)', someSeconds)
    .addOption(
      new Option(
        '--until-green',
        'end at the first round that is wholly green; without it and --soak the first red one ends the night',
      ).conflicts('soak'),
    )
    .option('--soak', 'go on until time is up, whatever happens')
    .option('--chaos', 'faults of the upstreams and kill -9 of the proxy, drawn from the seed')
    .option('--resume [run]', 'go on with a night that was interrupted or killed (default: the newest)')
    .option(
      '--max-requests <n>',
      'with --upstream real: send no more than these (default: 500)',
      wholeNumber,
    );
  return [
    'ccp-uat overnight --max-minutes 480 --chaos --soak',
    'ccp-uat overnight --resume',
    'ALLOW_REAL_API=1 ccp-uat overnight --max-minutes 60 --upstream real --max-requests 100',
  ];
}

function withLongrunOptions(command: Command): string[] {
  command
    .option(
      '--rounds <n>',
      'of four calls each (default: 5, with --minutes as many as there is time for)',
      wholeNumber,
    )
    .option('--minutes <n>', 'end after so long; with --rounds too, whichever comes first', someMinutes)
    .option('--max-requests <n>', 'with --upstream real: send no more than these (default: 50)', wholeNumber);
  return ['ccp-uat longrun --minutes 30', 'ccp-uat longrun --client curl --rounds 100'];
}

function withParallelOptions(command: Command): string[] {
  command
    .argument('[clients]', 'how many at once (default: 4)', someClients)
    .option('--rounds <n>', 'how often (default: 1)', wholeNumber);
  return ['ccp-uat parallel 8', 'ccp-uat parallel 64 --client curl'];
}
