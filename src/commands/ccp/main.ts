/** The commands of `ccp`. What a command does is imported when it is run, so that the rest costs no start-up. */
import { Argument, type Command } from 'commander';
import { nearestName } from '../../config/nearest-name.ts';
import { completionScript, SHELLS, type Shell } from '../shared/completion.ts';
import { AS_JSON, type Exit, examples, type Json, questions } from '../shared/declare.ts';
import { type Host, processHost } from '../shared/host.ts';
import { runProgram } from '../shared/run-program.ts';
import { addDb } from './db/commands.ts';
import { addIssuer } from './issuer/commands.ts';
import { addLicense } from './license/commands.ts';
import { addMeter } from './meter/commands.ts';
import { addPolicy } from './policy/commands.ts';

const WHAT_IS_COUNTED = 'what are "decisions"?   requests for haiku, and others that chose Z.AI';
const WHAT_EXIT_1_IS = 'what is exit code 1?    an exchange on the wrong lane, or no line to judge by';

/** Runs `ccp` with the arguments after its name; gives the exit code. */
export function main(argv: readonly string[], host: Host = processHost()): Promise<number> {
  return runProgram({
    name: 'ccp',
    host,
    argv,
    build: (program, exit) => build(program, host, exit),
    nearestName,
  });
}

function build(program: Command, host: Host, exit: Exit): void {
  program
    .description('A local proxy between Claude Code and its upstreams, and its tools.')
    .addHelpText(
      'after',
      examples('ccp serve', 'ANTHROPIC_BASE_URL=http://127.0.0.1:8082 claude', 'ccp doctor'),
    );
  addServe(program, host, exit);
  addRouting(program, host, exit);
  addPolicy(program, host, exit);
  addControl(program, host, exit);
  addMeter(program, host, exit);
  addLicense(program, host, exit);
  addIssuer(program, host, exit);
  addDb(program, host, exit);
  addDiagnosis(program, host, exit);
  program
    .command('completion')
    .description('print a completion script for a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', examples('eval "$(ccp completion bash)"', 'ccp completion fish | source'))
    .action((shell: Shell) => host.out.write(completionScript(program, shell)));
}

interface ServeOptions extends Json {
  readonly port?: string;
  readonly host?: string;
  readonly providers?: string;
  readonly quotas?: string;
  readonly licenseJson?: string;
  readonly licenseSig?: string;
  readonly licensePack?: string;
  readonly policyUrl?: string;
  readonly policyPubkey?: string;
  readonly printProviders?: boolean;
}

function addServe(program: Command, host: Host, exit: Exit): void {
  program
    .command('serve')
    .description('run the proxy until it is told to stop')
    .option('--port <port>', 'port of the listener, 0 for a free one (default: 8082)')
    .option('--host <address>', 'address of the listener (default: 127.0.0.1)')
    .option('--providers <file>', 'provider catalog, instead of the usual places')
    .option('--quotas <file>', 'quota file, instead of the usual places')
    .option('--license-json <file>', 'licence whose signature comes apart, or the file that holds it')
    .option('--license-sig <signature>', 'its signature, or the file that holds it')
    .option('--license-pack <file>', 'licence with its signature, instead of the stored one')
    .option('--policy-url <url>', 'where a signed policy pack is published')
    .option('--policy-pubkey <key>', 'the public key that verifies it: a file, or the key itself')
    .option('--print-providers', 'print the providers that would be used, and end')
    .option('--json', 'with --print-providers: print one JSON document')
    .addHelpText('after', examples('ccp serve', 'ccp serve --port 9000 --providers ./providers.yaml'))
    .action(
      async ({
        port,
        host: address,
        providers: file,
        quotas,
        policyUrl,
        policyPubkey,
        printProviders = false,
        json = false,
        ...license
      }: ServeOptions) => {
        const flags = {
          port,
          host: address,
          providersFile: file,
          quotasFile: quotas,
          policyUrl,
          policyPubkey,
          ...license,
        };
        if (printProviders) {
          const { providers } = await import('./providers.ts');
          exit(await providers(host, { json, flags }));
        } else {
          const { serve } = await import('./serve.ts');
          exit(await serve(host, flags));
        }
      },
    );
}

function addRouting(program: Command, host: Host, exit: Exit): void {
  program
    .command('providers')
    .description('show the providers: hosts, lanes, credentials set or not, routes, where each comes from')
    .option('--providers <file>', 'provider catalog, instead of the usual places')
    .option(...AS_JSON)
    .addHelpText('after', examples('ccp providers', "ccp providers --json | jq '.providers[].base_url'"))
    .action(async ({ json = false, providers: file }: Json & { readonly providers?: string }) => {
      const { providers } = await import('./providers.ts');
      exit(await providers(host, { json, flags: { providersFile: file } }));
    });
  program
    .command('model')
    .description('show, set or clear the model that every request is routed as')
    .argument('[name]', 'name of a model')
    .option('--clear', 'route every request by its own model again')
    .option(...AS_JSON)
    .addHelpText('after', examples('ccp model', 'ccp model claude-haiku-4-5', 'ccp model --clear'))
    .action(
      async (
        name: string | undefined,
        { clear = false, json = false }: Json & { readonly clear?: boolean },
      ) => {
        const { model } = await import('./model.ts');
        exit(await model(host, { name, clear, json }));
      },
    );
  program
    .command('trust')
    .description('let a file of the working directory count as it is now; without one, show what lies there')
    .argument('[file]', 'the file, e.g. .env or configs/providers.yaml')
    .option('--forget', 'take the trust back')
    .option(...AS_JSON)
    .addHelpText('after', examples('ccp trust', 'ccp trust .env', 'ccp trust --forget .env'))
    .action(
      async (
        file: string | undefined,
        { forget = false, json = false }: Json & { readonly forget?: boolean },
      ) => {
        const { trust } = await import('./trust.ts');
        exit(trust(host, { file, forget, json }));
      },
    );
}

function addControl(program: Command, host: Host, exit: Exit): void {
  const offload = program
    .command('offload')
    .description('the kill switch of the running proxy')
    .addHelpText('after', examples('ccp offload pause', 'ccp offload resume'));
  const switches = [
    ['pause', 'send everything to Anthropic from now on', true],
    ['resume', 'route as configured again', false],
  ] as const;
  for (const [name, description, paused] of switches) {
    offload
      .command(name)
      .description(description)
      .option(...AS_JSON)
      .action(async ({ json = false }: Json) => {
        const { setOffload } = await import('./control.ts');
        exit(await setOffload(host, { paused, json }));
      });
  }
  program
    .command('log')
    .description('the usage log of the running proxy')
    .addHelpText('after', examples('ccp log rotate'))
    .command('rotate')
    .description('start a new usage.jsonl; five old ones are kept')
    .option(...AS_JSON)
    .action(async ({ json = false }: Json) => {
      const { rotateLog } = await import('./control.ts');
      exit(await rotateLog(host, { json }));
    });
}

function addDiagnosis(program: Command, host: Host, exit: Exit): void {
  const partials = program
    .command('partials')
    .description('what clients had been sent of streams that ended abnormally')
    .addHelpText('after', examples('ccp partials', 'ccp partials clean'));
  const actions = [
    ['list', 'show them, newest first', { isDefault: true }],
    ['clean', 'delete them', {}],
  ] as const;
  for (const [name, description, options] of actions) {
    partials
      .command(name, options)
      .description(description)
      .option(...AS_JSON)
      .action(async ({ json = false }: Json) => {
        const { cleanPartials, listPartials } = await import('./partials.ts');
        exit((name === 'list' ? listPartials : cleanPartials)(host, { json }));
      });
  }
  program
    .command('doctor')
    .description('say what every setting is and why, which files count, and what is wrong')
    .option(...AS_JSON)
    .addHelpText('after', examples('ccp doctor', "ccp doctor --json | jq '.findings'"))
    .action(async ({ json = false }: Json) => {
      const { doctor } = await import('./doctor.ts');
      exit(await doctor(host, { json }));
    });
  program
    .command('verify')
    .description('audit the routing of the live log: no haiku on the Anthropic lane')
    .argument('[log]', 'the log (default: usage.jsonl in the logs folder)')
    .option('--rotated', 'read the rotated copies beside it, too, oldest first')
    .option(...AS_JSON)
    .addHelpText('after', examples('ccp verify', 'ccp verify --rotated', 'ccp verify logs/usage.jsonl.1'))
    .addHelpText('after', questions(WHAT_IS_COUNTED, WHAT_EXIT_1_IS))
    .action(
      async (
        log: string | undefined,
        { rotated = false, json = false }: Json & { readonly rotated?: boolean },
      ) => {
        const { verify } = await import('./verify.ts');
        exit(await verify(host, { log, rotated, json }));
      },
    );
}
