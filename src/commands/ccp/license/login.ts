/** Declares `ccp license login`. */
import type { Command } from 'commander';
import { AS_JSON, type Exit, examples, type Json } from '../../shared/declare.ts';
import type { Host } from '../../shared/host.ts';

interface LoginFlags extends Json {
  readonly issuer?: string;
  readonly invite?: string;
  readonly email?: string;
  /** False with --no-browser. */
  readonly browser: boolean;
  readonly loopback?: boolean;
}

/** Adds it to the `license` command. */
export function addLogin(license: Command, host: Host, exit: Exit): void {
  license
    .command('login')
    .description('get a licence from an issuer and store it')
    .option('--issuer <url>', 'the issuer, over https or on loopback (default: http://127.0.0.1:8787)')
    .option('--invite <code>', 'ask for it with an invite alone, without an approval page')
    .option('--email <address>', 'with --invite: whom the licence names; nobody where it is left out')
    .option('--no-browser', 'only print the address of the approval page')
    .option('--loopback', 'let the approval page lead back to this command, without a code to compare')
    .option(...AS_JSON)
    .addHelpText(
      'after',
      examples(
        'ccp license login',
        'ccp license login --no-browser --issuer https://licences.example',
        'ccp license login --invite DEV-TRIAL-7D --email me@example.com',
      ),
    )
    .action(async ({ issuer, invite, email, browser, loopback = false, json = false }: LoginFlags) => {
      const { login } = await import('../login.ts');
      exit(await login(host, { issuer, invite, email, browser, loopback, json }));
    });
}
