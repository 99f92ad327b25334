/** `ccp-uat bundle …`, and what puts the results in order. */
import type { Command } from 'commander';
import { AS_JSON, type Exit, examples, type Json } from '../shared/declare.ts';
import type { Host } from '../shared/host.ts';
import type { Terminal } from '../shared/terminal.ts';
import type { BundleFlags } from './bundle.ts';
import type { VerifyFlags } from './bundle-verify.ts';
import { wholeNumber } from './typed.ts';

interface Given {
  readonly host: Host;
  readonly terminal: Terminal;
  readonly exit: Exit;
}

/** Adds the commands to the program. */
export function addBundles(program: Command, { host, terminal, exit }: Given): void {
  addBundle(program, { host, terminal, exit });
  program
    .command('prune-results')
    .description(
      'remove old runs and what results/overnight has of a night that is gone; never the newest run of a suite, and none that is still being written',
    )
    .option('--keep <n>', 'how many runs of each suite stay', wholeNumber, 5)
    .option('--dry-run', 'say what would be removed, and remove nothing')
    .option(...AS_JSON)
    .addHelpText('after', examples('ccp-uat prune-results --dry-run', 'ccp-uat prune-results --keep 1'))
    .action(async (flags: Json & { readonly keep: number; readonly dryRun?: boolean }) => {
      const { pruneResults } = await import('./housekeeping.ts');
      exit(await pruneResults(host, flags));
    });
  program
    .command('clean-logs')
    .description(
      "remove the logs kept of runs (logs/usage_NAME.jsonl) and their figures (results/METRICS_NAME.json); the proxy's own stay",
    )
    .option(
      '--live',
      'remove usage.jsonl and its rotated copies, too, every exchange recorded there; and METRICS.json',
    )
    .option('--dry-run', 'say what would be removed, and remove nothing')
    .option(...AS_JSON)
    .addHelpText('after', examples('ccp-uat clean-logs --dry-run', 'ccp-uat clean-logs'))
    .action(async (flags: Json & { readonly live?: boolean; readonly dryRun?: boolean }) => {
      const { cleanLogs } = await import('./housekeeping.ts');
      exit(await cleanLogs(host, flags));
    });
}

function addBundle(program: Command, { host, terminal, exit }: Given): void {
  const bundle = program
    .command('bundle')
    .description('pack the newest run of each suite into one file for a reviewer')
    .option(
      '--out <dir>',
      'where it goes (default: ~/Downloads where that exists, else bundles/ in the results)',
    )
    .option(
      '--sign <file>',
      'sign it with the seed in this file, as "ccp issuer keygen --for bundles --out FILE" makes one',
    )
    .option(...AS_JSON)
    .addHelpText(
      'after',
      examples(
        'ccp-uat bundle',
        'ccp-uat bundle --out review --sign review.seed',
        'ccp-uat bundle verify ccp-review-20260101T000000Z.tgz --pubkey review.pub',
        'ccp-uat bundle diff OLD.tgz NEW.tgz',
      ),
    )
    .action(async (flags: BundleFlags) => {
      const { bundle: make } = await import('./bundle.ts');
      exit(await make(host, terminal, flags));
    });
  bundle
    .command('verify')
    .description(
      'check signature, inventory and hashes, and judge the evidence again; exit 1 with the reason',
    )
    // Not demanded here: where bundles lie is said where one is missing.
    .usage('[options] <file>')
    .argument('[file]', 'the .tgz')
    .option(
      '--pubkey <key>',
      'demand a signature by this key: hex, base64, the line of "ccp issuer keygen", PEM, or a file of one',
    )
    .option('--expect-sha256 <hash>', 'demand that it is the file with this SHA-256')
    .option(...AS_JSON)
    .addHelpText(
      'after',
      examples('ccp-uat bundle verify ccp-review-20260101T000000Z.tgz --expect-sha256 HASH'),
    )
    .action(async (file: string | undefined, _flags: VerifyFlags, command: Command) => {
      const { verifyBundle } = await import('./bundle-verify.ts');
      // `--json` is an option of `bundle` as well, which takes it first.
      exit(await verifyBundle(host, file, command.optsWithGlobals<VerifyFlags>()));
    });
  bundle
    .command('diff')
    .description('show what differs between two bundles: verdicts and signature, checks, provenance, counts')
    .usage('[options] <a> <b>')
    .argument('[a]', 'a .tgz')
    .argument('[b]', 'another')
    .option(...AS_JSON)
    .addHelpText('after', examples('ccp-uat bundle diff monday.tgz tuesday.tgz --json'))
    .action(async (a: string | undefined, b: string | undefined, _flags: Json, command: Command) => {
      const { diffBundles } = await import('./bundle-diff.ts');
      exit(await diffBundles(host, a, b, command.optsWithGlobals<Json>()));
    });
}
