/** `GLM_LIMIT_PROBE.md`: where a provider's window ended, what the provider said then, and what had been counted. */
import type { Evidence } from '../../analysis/evidence.ts';
import { accountOf } from '../../analysis/exchanges.ts';
import { sumTokens } from '../../analysis/recount.ts';
import { limitOf } from '../../analysis/stated-limit.ts';
import { requestFacts } from '../../analysis/wire.ts';
import type { CompletionEvent } from '../../protocol/usage-event.ts';
import type { LimitPlan, Plan } from '../run-record.ts';

interface Probed {
  readonly plan: Plan;
  readonly evidence: Evidence;
}

/** Of a run that looked for a limit, found or not. */
export function limitReport({ plan, evidence }: Probed, { lane, maxRequests }: LimitPlan): string {
  const inOrder = accountOf(evidence).exchanges.toSorted((a, b) => a.client.startedAt - b.client.startedAt);
  const at = inOrder.findIndex(({ client }) => limitOf(client)?.isWindow === true);
  const before = at === -1 ? inOrder : inOrder.slice(0, at);
  const hit = inOrder[at]?.client;
  const limit = hit === undefined ? null : limitOf(hit);
  const answered = before.flatMap(({ completions }) => completions).filter(({ status }) => status < 400);
  const rows: [string, string][] = [
    ['run', plan.run],
    ['upstream', plan.upstream === 'mock' ? 'a mock, whose window is made up' : 'real'],
    ['model', [...new Set(inOrder.map(({ client }) => requestFacts(client).model ?? 'none'))].join(', ')],
    ['answered before', `${answered.length} requests`],
    ['tokens of these', tokensIn(answered)],
    ['refused otherwise', String(before.length - answered.length)],
    ...(limit === null || hit === undefined
      ? []
      : ([
          ['the lane said', [limit.code, limit.message].filter((part) => part !== null).join(': ')],
          ['said at', new Date(hit.startedAt + hit.endedMs).toISOString()],
          ['opens again', opensAgain(limit.resetsAt, hit.startedAt)],
        ] as [string, string][])),
  ];
  return [
    `# The limit of the lane ${lane}`,
    '',
    limit === null
      ? `No window was used up within ${inOrder.length} of at most ${maxRequests} requests.`
      : `The window was used up after ${answered.length} answers.`,
    '',
    '| | |',
    '| --- | --- |',
    ...rows.map(([name, value]) => `| ${name} | ${value.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')} |`),
    '',
    'These figures are those of this run. What the account had used before, here or elsewhere, is not among them: for',
    'a whole window begin when it has just opened.',
    '',
  ].join('\n');
}

function tokensIn(completions: readonly CompletionEvent[]): string {
  const sums = sumTokens(completions.map(({ tokens }) => ({ tokens: tokens ?? null })));
  return Object.entries(sums)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ');
}

function opensAgain(resetsAt: number | null, now: number): string {
  if (resetsAt === null) return 'not stated';
  const minutes = Math.round((resetsAt - now) / 60_000);
  return `${new Date(resetsAt).toISOString()}, ${minutes} minutes later`;
}
