/** The meter's commands. */
import type { Command } from 'commander';
import { OperatorError } from '../../../errors.ts';
import { AS_JSON, type Exit, examples, type Json, questions } from '../../shared/declare.ts';
import type { Host } from '../../shared/host.ts';

interface Watched extends Json {
  readonly watch?: boolean;
}

const WATCH = ['--watch', 'show it anew every two seconds, until Ctrl-C or nobody reads on'] as const;

const HOW_FULL = 'how full are they?             ccp quota';
const WHY_A_FIGURE = 'why is a figure so?            ccp quota --details; docs/quotas.md';
const WHY_THERE = 'why did requests go elsewhere? ccp usage, below its tables';
const WHERE_IT_WENT = 'where did each one go?         ccp verify; logs/usage.jsonl';
const WHAT_A_BUDGET_COUNTS = 'why has a budget fewer?        docs/quotas.md, "What is counted"';
const LIFT_A_BLOCK = 'how is a block lifted?         raise the cap in the quota file (ccp quotas)';
const LIFT_A_COOLDOWN = 'how is a cooldown ended?       ccp quotas end-cooldown';
const WHAT_IS_WRONG = 'does it count as it should?    ccp doctor';

/** Throws `USAGE` for both at once: a document has an end. */
function pageOrDocument({ watch = false, json = false }: Watched): { watching: boolean; json: boolean } {
  if (watch && json) throw new OperatorError('USAGE', '--watch and --json exclude each other');
  return { watching: watch, json };
}

/** Adds `status`, `usage`, `quota`, `quotas` and `statusline`. */
export function addMeter(program: Command, host: Host, exit: Exit): void {
  program
    .command('status')
    .description('show what runs, what it is ready for, what was used and how full the quotas are')
    .option('--debug-quota', 'show everything that is known of each quota')
    .option(...WATCH)
    .option(...AS_JSON)
    .addHelpText('after', examples('ccp status', 'ccp status --watch', 'ccp status --debug-quota'))
    .addHelpText('after', questions(WHY_THERE, WHY_A_FIGURE, WHAT_IS_WRONG))
    .action(async ({ debugQuota = false, ...rest }: Watched & { readonly debugQuota?: boolean }) => {
      const { status } = await import('./status.ts');
      exit(await status(host, { debugQuota, ...pageOrDocument(rest) }));
    });
  program
    .command('usage')
    .description('show what was used, by model and lane, and what it cost at list prices')
    .option('--since <time>', 'from then on: -24h, -7d, 2026-01-02T15:04:05Z or epoch seconds', '-24h')
    .option('--banner', 'everything on one line')
    .option(...WATCH)
    .option(...AS_JSON)
    .addHelpText(
      'after',
      examples(
        'ccp usage',
        'ccp usage --since -7d',
        'ccp usage --banner',
        'ccp usage --json | jq .total.cost_usd',
      ),
    )
    .addHelpText('after', questions(WHY_THERE, WHERE_IT_WENT, WHAT_A_BUDGET_COUNTS))
    .action(
      async ({
        since,
        banner = false,
        ...rest
      }: Watched & { readonly since: string; readonly banner?: boolean }) => {
        const { usage } = await import('./usage.ts');
        exit(await usage(host, { since, banner, ...pageOrDocument(rest) }));
      },
    );
  program
    .command('quota')
    .description('show how full the quotas are')
    .option('--details', 'show everything that is known of each')
    .option(...WATCH)
    .option(...AS_JSON)
    .addHelpText('after', examples('ccp quota', 'ccp quota --details', 'ccp quota --watch'))
    .addHelpText('after', questions(WHY_A_FIGURE, WHY_THERE, LIFT_A_BLOCK, LIFT_A_COOLDOWN, WHAT_IS_WRONG))
    .action(async ({ details = false, ...rest }: Watched & { readonly details?: boolean }) => {
      const { quota } = await import('./quota.ts');
      exit(await quota(host, { details, ...pageOrDocument(rest) }));
    });
  addQuotas(program, host, exit);
  program
    .command('statusline')
    .description("print one line for Claude Code's statusLine setting; reads its JSON on standard input")
    .option(...AS_JSON)
    .addHelpText('after', examples('echo {} | ccp statusline', 'ccp statusline --json | jq .proxy.state'))
    .action(async ({ json = false }: Json) => {
      const { statusline } = await import('./statusline.ts');
      exit(await statusline(host, { json }));
    });
}

function addQuotas(program: Command, host: Host, exit: Exit): void {
  const quotas = program
    .command('quotas')
    .description('the quotas of the running proxy: what is configured, and taking it anew')
    .addHelpText(
      'after',
      examples('ccp quotas', 'ccp quotas reload ./quotas.json', 'ccp quotas end-cooldown zai'),
    )
    .addHelpText('after', questions(HOW_FULL, LIFT_A_BLOCK, LIFT_A_COOLDOWN, WHAT_IS_WRONG));
  quotas
    .command('show', { isDefault: true })
    .description('show the quotas and the file that they come from')
    .option(...AS_JSON)
    .action(async ({ json = false }: Json) => {
      const { showQuotas } = await import('./quota.ts');
      exit(await showQuotas(host, { json }));
    });
  quotas
    .command('reload')
    .description(
      'let the proxy read its file again and count anew from the store, or take the content of another file',
    )
    .argument('[file]', 'a file of quotas; its content is sent')
    .option(...AS_JSON)
    .addHelpText('after', examples('ccp quotas reload', 'ccp quotas reload ./quotas.json'))
    .action(async (file: string | undefined, { json = false }: Json) => {
      const { reloadQuotas } = await import('./quota.ts');
      exit(await reloadQuotas(host, { file, json }));
    });
  quotas
    .command('end-cooldown')
    .description('try a lane again that is left alone because its upstream refused for a limit')
    .argument('[lane]', 'as "ccp quota" names it; all of them where it is left out')
    .argument('[key]', 'the glob or model that is left alone there; all of them where it is left out')
    .option(...AS_JSON)
    .addHelpText(
      'after',
      examples(
        'ccp quotas end-cooldown',
        'ccp quotas end-cooldown zai',
        "ccp quotas end-cooldown zai '*haiku*'",
      ),
    )
    .action(async (lane: string | undefined, key: string | undefined, { json = false }: Json) => {
      const { endCooldown } = await import('./quota.ts');
      exit(await endCooldown(host, { lane, key, json }));
    });
}
