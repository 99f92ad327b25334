/** `ccp policy …`: packs that route, signed and published by an operator. */
import type { Command } from 'commander';
import { AS_JSON, type Exit, examples, type Json } from '../../shared/declare.ts';
import type { Host } from '../../shared/host.ts';

/** Adds the group to the program. */
export function addPolicy(program: Command, host: Host, exit: Exit): void {
  const policy = program
    .command('policy')
    .description('policy packs: routes and upstreams that an operator signs and publishes')
    .addHelpText(
      'after',
      examples(
        'ccp policy sign policy.json --seed-file policy.seed',
        'ccp policy verify policy.json --pubkey policy.pub',
        'ccp policy show',
        'ccp serve --policy-url https://example.com/policy.json --policy-pubkey policy.pub',
      ),
    );
  policy
    .command('sign')
    .description('sign a pack; the signature goes to FILE.sig, to be published beside it')
    .argument('<file>', 'the pack, e.g. policy.json')
    .option('--seed-file <file>', 'file of the secret seed (default: the seed in CCP_POLICY_SEED)')
    .option(...AS_JSON)
    .action(async (file: string, { seedFile, json = false }: Json & { readonly seedFile?: string }) => {
      const { signPolicyFile } = await import('./sign.ts');
      exit(signPolicyFile(host, { file, seedFile, json }));
    });
  policy
    .command('verify')
    .description('judge a signed pack as a proxy would; exit 1 with the reason where it would refuse it')
    .argument('<file>', 'the pack, e.g. policy.json')
    .option('--sig <file>', 'its signature (default: FILE.sig)')
    .option('--pubkey <key>', 'the public key: a file, or the key itself (default: CCP_POLICY_PUBKEY)')
    .option(...AS_JSON)
    .action(
      async (
        file: string,
        { sig, pubkey, json = false }: Json & { readonly sig?: string; readonly pubkey?: string },
      ) => {
        const { verifyPolicyFile } = await import('./verify.ts');
        exit(verifyPolicyFile(host, { file, sig, pubkey, json }));
      },
    );
  policy
    .command('show')
    .description('show the pack in the cache, verified anew, and what the running proxy says of its own')
    .option(...AS_JSON)
    .action(async ({ json = false }: Json) => {
      const { showPolicy } = await import('./show.ts');
      exit(await showPolicy(host, { json }));
    });
}
