/** `GLM_LIMIT_PROBE.md`: where a provider's window ended, what the provider said then, and what had been counted. */
import { accountOf, type Exchange } from '../../analysis/exchanges.ts';
import { plural } from '../../analysis/plural.ts';
import { sumTokens } from '../../analysis/recount.ts';
import { limitOf } from '../../analysis/stated-limit.ts';
import { requestFacts } from '../../analysis/wire.ts';
import type { CompletionEvent } from '../../protocol/usage-event.ts';
import { endingWords } from '../ending-words.ts';
import type { LimitPlan } from '../run-record.ts';
import type { StoredRun } from '../stored/stored-run.ts';

type Probed = Pick<StoredRun, 'plan' | 'evidence' | 'ending' | 'endingNote'>;

/** Of a run that looked for a limit, found or not, or was ended before. */
export function limitReport(probed: Probed, limits: LimitPlan): string {
  const { plan } = probed;
  const { inOrder, before, hit } = soughtIn(probed);
  const limit = hit === undefined ? null : limitOf(hit);
  const answered = before.flatMap(({ completions }) => completions).filter(({ status }) => status < 400);
  const rows: [string, string][] = [
    ['run', plan.run],
    [UPSTREAM, plan.upstream === 'mock' ? MOCK : 'real'],
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
    `# The limit of the lane ${limits.lane}`,
    '',
    limit === null
      ? unmet(probed, inOrder, limits)
      : [`The window was used up after ${answered.length} answers.`, ...cutShort(probed)].join(' '),
    '',
    '| | |',
    '| --- | --- |',
    ...rows.map(([name, value]) => rowOf(name, value)),
    '',
    'These figures are those of this run. What the account had used before, here or elsewhere, is not among them: for',
    'a whole window begin when it has just opened.',
    '',
  ].join('\n');
}

/** Whether it says something of the window: it was used up, or not by as many requests as the run was given, and the run came to its end. */
export function saysOfWindow(probed: Probed, { maxRequests }: LimitPlan): boolean {
  const { inOrder, hit } = soughtIn(probed);
  return probed.ending === 'complete' && (hit !== undefined || inOrder.length >= maxRequests);
}

const UPSTREAM = 'upstream';
const MOCK = 'a mock, whose window is made up';

const rowOf = (name: string, value: string): string =>
  `| ${name} | ${value.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')} |`;

/** Whether a report, of whatever program, says of itself that it cost nobody anything. */
export const isOfMock = (report: string): boolean => report.split('\n').includes(rowOf(UPSTREAM, MOCK));

interface Sought {
  readonly inOrder: readonly Exchange[];
  /** Those before the one that met the limit. */
  readonly before: readonly Exchange[];
  /** What met it; undefined where nothing did. */
  readonly hit: Exchange['client'] | undefined;
}

function soughtIn({ evidence }: Pick<Probed, 'evidence'>): Sought {
  const inOrder = accountOf(evidence).exchanges.toSorted((a, b) => a.client.startedAt - b.client.startedAt);
  const at = inOrder.findIndex(({ client }) => limitOf(client)?.isWindow === true);
  return { inOrder, before: at === -1 ? inOrder : inOrder.slice(0, at), hit: inOrder[at]?.client };
}

function unmet(
  { ending, endingNote }: Probed,
  inOrder: readonly Exchange[],
  { maxRequests }: LimitPlan,
): string {
  const sent = `${inOrder.length} of at most ${plural(maxRequests, 'request')}`;
  if (ending !== 'complete')
    return `The run ${endingWords(ending)} after ${sent}, before any window was used up: ${endingNote ?? 'no more is known'}.`;
  const last = inOrder.at(-1)?.client;
  if (inOrder.length >= maxRequests || last === undefined) return `No window was used up within ${sent}.`;
  const how =
    last.response === undefined ? 'was not answered' : `was answered with status ${last.response.status}`;
  return `The run ended after ${sent}: the last ${how}, and nothing was to be sent after that. It says nothing of the window.`;
}

const cutShort = ({ ending, endingNote }: Probed): string[] =>
  ending === 'complete' ? [] : [`The run ${endingWords(ending)} then: ${endingNote ?? 'no more is known'}.`];

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
