/** The group `ccp license`. */
import type { Command } from 'commander';
import { AS_JSON, type Exit, examples, type Json } from '../../shared/declare.ts';
import type { Host } from '../../shared/host.ts';
import { addLogin } from './login.ts';

/** Adds the group. */
export function addLicense(program: Command, host: Host, exit: Exit): void {
  const license = program
    .command('license')
    .description('the licence that opens the Z.AI lane: show, store, get or remove it')
    .addHelpText(
      'after',
      examples('ccp license status', 'ccp license login', 'ccp license set license.pack'),
    );
  license
    .command('status')
    .description(
      'say what the licence is worth, why, and where it came from; asks nobody; exit 1 where it is wrong',
    )
    .option(...AS_JSON)
    .addHelpText('after', examples('ccp license status', 'ccp license status --json | jq .reason'))
    .action(async ({ json = false }: Json) => {
      const { licenseStatus } = await import('./license.ts');
      exit(licenseStatus(host, { json }));
    });
  license
    .command('set')
    .description(
      "store a licence that counts now: a pack, an issuer's answer, or a licence with its signature",
    )
    .argument('[file]', 'the file, - for standard input', '-')
    .option('--sig <signature>', 'the signature, or the file that holds it, where it comes apart')
    .option(...AS_JSON)
    .addHelpText(
      'after',
      examples(
        'ccp license set license.pack',
        'ccp license set license.json --sig license.sig',
        'curl -s … | ccp license set',
      ),
    )
    .action(async (file: string, { sig, json = false }: Json & { readonly sig?: string }) => {
      const { setLicense } = await import('./license.ts');
      exit(await setLicense(host, { file, sig, json }));
    });
  license
    .command('logout')
    .description('remove the stored licence; a running proxy follows')
    .option(...AS_JSON)
    .addHelpText('after', examples('ccp license logout'))
    .action(async ({ json = false }: Json) => {
      const { removeLicense } = await import('./license.ts');
      exit(removeLicense(host, { json }));
    });
  addLogin(license, host, exit);
}
