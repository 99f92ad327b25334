/** The group `ccp db`. */
import { type Command, InvalidArgumentError } from 'commander';
import { AS_JSON, type Exit, examples, type Json } from '../../shared/declare.ts';
import type { Host } from '../../shared/host.ts';
import type { ExportOptions } from './export.ts';

/** Adds the group. */
export function addDb(program: Command, host: Host, exit: Exit): void {
  const db = program
    .command('db')
    .description('the store of exchanges: look at it, take out, put in, thin out, join')
    .addHelpText(
      'after',
      examples(
        'ccp db status',
        'ccp db export --csv --since -24h',
        'ccp db import --jsonl logs/usage.jsonl --rotated',
      ),
    );
  db.command('status')
    .description('what the store holds, how large it is, how far it is rolled up')
    .option('--check', 'read the whole file, too, and say whether it is damaged; exit 1 if it is')
    .option(...AS_JSON)
    .addHelpText('after', examples('ccp db status', 'ccp db status --check --json | jq .integrity'))
    .action(async ({ check = false, json = false }: Json & { readonly check?: boolean }) => {
      const { dbStatus } = await import('./status.ts');
      exit(await dbStatus(host, { check, json }));
    });
  addExport(db, host, exit);
  addImport(db, host, exit);
  db.command('prune')
    .description('delete single exchanges that are old; what was counted of them by hours and days stays')
    .option('--days <days>', 'keep those of the last days (default: CCP_SAMPLE_TTL_DAYS, 7)', wholeDays)
    .option('--yes', 'do not ask')
    .option(...AS_JSON)
    .addHelpText('after', examples('ccp db prune', 'ccp db prune --days 30 --yes'))
    .action(async ({ days, yes = false, json = false }: PruneFlags) => {
      const { dbPrune } = await import('./prune.ts');
      exit(await dbPrune(host, { days, yes, json }));
    });
  db.command('merge')
    .description('join the stores and logs under a folder into hours and days, each exchange once')
    .requiredOption('--dir <folder>', 'where stores, usage*.jsonl and their rotated copies lie, at any depth')
    .option('--runs', 'count the logs that ccp-uat kept of its runs, too')
    .option(
      '--out <folder>',
      'where rollup_hour.json and rollup_day.json go (default: rollups in CCP_RESULTS_DIR)',
    )
    .option(...AS_JSON)
    .addHelpText(
      'after',
      examples('ccp db merge --dir logs', 'ccp db merge --dir ~/all-logs --out /tmp/rollups'),
    )
    .action(async ({ dir, runs = false, out, json = false }: MergeFlags) => {
      const { dbMerge } = await import('./merge.ts');
      exit(await dbMerge(host, { dir, runs, out, json }));
    });
}

interface MergeFlags extends Json {
  readonly dir: string;
  readonly runs?: boolean;
  readonly out?: string;
}

interface PruneFlags extends Json {
  readonly days?: number;
  readonly yes?: boolean;
}

function addExport(db: Command, host: Host, exit: Exit): void {
  db.command('export')
    .description('print single exchanges, oldest first; what --jsonl prints can be imported again')
    .option('--csv', 'a table, a heading first')
    .option('--jsonl', 'an object a line')
    .option('--since <time>', 'those that ended then or later: epoch seconds, RFC 3339, or an age like -1h')
    .option('--until <time>', 'those that ended before')
    .option('--model <name>', 'those that asked for this model')
    .option('--lane <name>', 'those of this lane')
    .option('--out <file>', 'write them to a file, which must not be there yet')
    .option('--force', 'overwrite the file of --out')
    .addHelpText(
      'after',
      examples(
        'ccp db export --csv --since -24h > today.csv',
        'ccp db export --jsonl --lane zai --out zai.jsonl',
      ),
    )
    .action(async (flags: ExportOptions) => {
      const { dbExport } = await import('./export.ts');
      exit(await dbExport(host, flags));
    });
}

interface ImportFlags extends Json {
  readonly jsonl: readonly string[];
  readonly rotated?: boolean;
  readonly runs?: boolean;
}

function addImport(db: Command, host: Host, exit: Exit): void {
  db.command('import')
    .description(
      'put in what logs and exports tell and the store does not know; safe to repeat, beside a running proxy too',
    )
    .requiredOption('--jsonl <file...>', 'usage logs, or what "ccp db export --jsonl" wrote')
    .option('--rotated', 'read the rotated copies beside each, too, oldest first')
    .option('--runs', 'put in the logs that ccp-uat kept of its runs, too')
    .option(...AS_JSON)
    .addHelpText(
      'after',
      examples(
        'ccp db import --jsonl logs/usage.jsonl --rotated',
        'ccp db import --jsonl a.jsonl b.jsonl --json',
      ),
    )
    .action(async ({ jsonl, rotated = false, runs = false, json = false }: ImportFlags) => {
      const { dbImport } = await import('./import.ts');
      exit(await dbImport(host, { files: jsonl, rotated, runs, json }));
    });
}

function wholeDays(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > 3650)
    throw new InvalidArgumentError('It must be a whole number of days from 1 to 3650.');
  return days;
}
