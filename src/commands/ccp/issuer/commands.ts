/** Declares the `issuer` commands: keys, single licences, and the service that hands them out. */
import { type Command, Option } from 'commander';
import { AS_JSON, type Exit, examples, type Json } from '../../shared/declare.ts';
import type { Host } from '../../shared/host.ts';
import type { KeygenOptions } from './keygen.ts';
import type { MintOptions } from './mint.ts';
import type { ServeFlags } from './serve.ts';

const SEED_FILE = [
  '--seed-file <file>',
  'file with the signing seed (default: the variable CCP_ISSUER_SEED)',
] as const;

export function addIssuer(program: Command, host: Host, exit: Exit): void {
  const issuer = program
    .command('issuer')
    .description('hand out licences')
    .addHelpText(
      'after',
      examples(
        'ccp issuer keygen --out ~/.config/ccp/issuer.seed',
        'ccp issuer serve --seed-file ~/.config/ccp/issuer.seed --invites configs/invites.dev.json',
      ),
    );
  addKeygen(issuer, host, exit);
  addMint(issuer, host, exit);
  addServe(issuer, host, exit);
}

function addKeygen(issuer: Command, host: Host, exit: Exit): void {
  issuer
    .command('keygen')
    .description('make a signing key; print its public half')
    .requiredOption('--out <file>', 'new file for the seed, which is never printed (mode 0600)')
    .option('--kid <id>', 'id of the key (default: k, the date and a random tail, e.g. k20300131-7f3a)')
    .addOption(
      new Option('--for <use>', 'what it signs')
        .choices(['licences', 'policy', 'bundles'])
        .default('licences'),
    )
    .option(...AS_JSON)
    .addHelpText(
      'after',
      examples(
        'ccp issuer keygen --out ~/.config/ccp/issuer.seed --kid team-2030',
        'ccp issuer keygen --for policy --out ~/.config/ccp/policy.seed',
        'ccp issuer keygen --for bundles --out ~/.config/ccp/review.seed',
      ),
    )
    .action(async ({ kid, json = false, ...rest }: KeygenFlags) => {
      const { keygen } = await import('./keygen.ts');
      exit(keygen(host, { ...rest, kid, json }));
    });
}

type KeygenFlags = Json & Pick<KeygenOptions, 'for' | 'out'> & { readonly kid?: string };

function addMint(issuer: Command, host: Host, exit: Exit): void {
  issuer
    .command('mint')
    .description('sign one licence and print it as a pack')
    .requiredOption('--plan <name>', 'plan that it names')
    .requiredOption('--feature <name...>', 'features that it opens, e.g. zai_offload')
    .requiredOption('--subject <text>', 'whom it is for, e.g. an e-mail address')
    .requiredOption('--days <number>', 'how many days it lasts')
    .option('--not-before <time>', 'when it begins, e.g. 2030-01-31T00:00:00Z (default: now)')
    .option(...SEED_FILE)
    .option('--json', 'a pack is JSON in any case')
    .addHelpText(
      'after',
      examples(
        'ccp issuer mint --plan team --feature zai_offload --subject me@example.com --days 90 --seed-file issuer.seed',
      ),
    )
    .action(async (flags: MintOptions) => {
      const { mint } = await import('./mint.ts');
      exit(mint(host, flags));
    });
}

function addServe(issuer: Command, host: Host, exit: Exit): void {
  issuer
    .command('serve')
    .description('hand out licences over HTTP until it is told to stop')
    .option('--port <port>', 'port of the listener, 0 for a free one', '8787')
    .option('--host <address>', 'address of the listener; loopback unless --public-url is given', '127.0.0.1')
    .option('--public-url <url>', 'https address of a proxy in front, which ends TLS')
    .option('--invites <file>', 'the invites (default: invites.json in the configuration folder)')
    .option('--state <folder>', 'uses of invites and the audit log (default: issuer in the state folder)')
    .option(...SEED_FILE)
    .addHelpText(
      'after',
      examples(
        'ccp issuer serve --seed-file issuer.seed --invites configs/invites.dev.json',
        'ccp issuer serve --public-url https://licences.example --seed-file issuer.seed',
      ),
    )
    .action(async (flags: ServeFlags) => {
      const { serveIssuer } = await import('./serve.ts');
      exit(await serveIssuer(host, flags));
    });
}
