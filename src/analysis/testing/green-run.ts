/**
 * A made-up run in which everything is as it should be, for the tests of the checks: each test breaks one
 * thing of a fresh copy.
 */
import type { Payload, Transcript } from '../../protocol/transcript.ts';
import type { CompletionEvent } from '../../protocol/usage-event.ts';
import type { Verdict } from '../check.ts';
import { CHECKS } from '../checks/index.ts';
import type { Evidence, OutsideAttempt, ProbeResult } from '../evidence.ts';
import { judgeAll } from '../judge.ts';
import { sampleOf } from '../kept-sample.ts';
import { meterOf, metricsOf, onlyLife, readinessProbes } from './green-answers.ts';
import { greenExchanges } from './green-exchanges.ts';
import { CLIENT_KEY, type Made, payloadOf, ZAI_KEY } from './made-exchange.ts';

/** Everything may be broken. What is `unknown` stays so. */
export type Mutable<T> = unknown extends T ? T : { -readonly [Key in keyof T]: Mutable<T[Key]> };

const CLIENT_LOGIN = `sk-ant-oat01-${'l0g'.repeat(31)}AA`;

/** The evidence of a green run. `alter` breaks it; what it returns is not used. */
export function greenRun(
  alter: (evidence: Mutable<Evidence>) => unknown = () => undefined,
): Mutable<Evidence> {
  return runOf(greenExchanges(), alter);
}

/** The evidence of a run in which these exchanges were the only ones. */
export function runOf(
  exchanges: readonly Made[],
  alter: (evidence: Mutable<Evidence>) => unknown = () => undefined,
): Mutable<Evidence> {
  const events = exchanges.flatMap((exchange) => exchange.events);
  const samples = events.flatMap((event) => (event.event === 'completion' ? [sampleOf(event)] : []));
  const evidence: Evidence = {
    suite: 'test',
    run: 'green',
    probes: exchanges.flatMap(({ probe }) => (probe === undefined ? [] : [probe])),
    client: exchanges.map(({ client }) => client),
    upstream: [...readinessProbes(), ...exchanges.flatMap(({ upstream }) => upstream)],
    elsewhere: [askedAboutLogin()],
    usage: { events, bad: [], rotatedBefore: true },
    anomalies: [],
    store: { kind: 'read', rows: samples },
    crashes: [],
    lives: [onlyLife(metricsOf(events), meterOf(samples))],
    canaries: [
      { name: 'anthropic-key', value: CLIENT_KEY, allowed: ['wire:client:request', 'wire:anth:request'] },
      {
        name: 'anthropic-oauth',
        value: CLIENT_LOGIN,
        allowed: ['wire:client:request', 'wire:anth:request', 'elsewhere:api.anthropic.com'],
      },
      { name: 'zai-key', value: ZAI_KEY, allowed: ['wire:zai:request'] },
      ...exchanges.flatMap(({ probe }) => (probe === undefined ? [] : [promptCanary(probe)])),
    ],
    artifacts: [
      { place: 'usage.jsonl', text: events.map((event) => JSON.stringify(event)).join('\n') },
      { place: 'proxy.log', text: 'ccp: listening\n' },
    ],
  };
  // By way of JSON, as a stored run comes back.
  const copy: Mutable<Evidence> = JSON.parse(JSON.stringify(evidence));
  alter(copy);
  return copy;
}

/** Checks of what does not happen in the green run: a restart, a budget, a limit that is looked for, a kill, a night. */
export const NOT_IN_EVERY_RUN: readonly string[] = [
  'RESTART-01',
  'QUOTA-01',
  'QUOTA-02',
  'QUOTA-03',
  'LIMIT-01',
  'TIMEOUT-01',
  'PERSIST-01',
  'PERSIST-02',
  'PERSIST-03',
  'PERSIST-04',
  'PERSIST-05',
  'PERSIST-06',
  'NIGHT-01',
  'NIGHT-02',
  'NIGHT-03',
  'NIGHT-04',
  'NIGHT-05',
  'NIGHT-06',
  'NIGHT-07',
  'NIGHT-08',
  'NIGHT-09',
];

const promptCanary = ({ id, canary }: ProbeResult) => ({
  name: `prompt:${id}`,
  value: canary,
  allowed: ['wire:client:request', 'wire:anth:request', 'wire:zai:request'],
});

function askedAboutLogin(): OutsideAttempt {
  const headers = [['Authorization', `Bearer ${CLIENT_LOGIN}`]] as const;
  const url = 'https://api.anthropic.com/api/oauth/profile';
  return { host: 'api.anthropic.com', request: { method: 'GET', url, headers, body: '' } };
}

/** Finds the one whose id starts like this; a test that names none is wrong. */
export function pick<T extends { id: string }>(list: readonly T[], id: string): T {
  const found = list.find((one) => one.id.startsWith(id));
  if (found === undefined) throw new Error(`the green run has no ${id}`);
  return found;
}

/** The only life of the green run. */
export function lifeIn<E extends Pick<Evidence, 'lives'>>({ lives: [life] }: E): E['lives'][number] {
  if (life === undefined) throw new Error('the green run has no life');
  return life;
}

/** The completion of an exchange of the green run. */
export function completionIn(evidence: Mutable<Evidence>, rid: string): Mutable<CompletionEvent> {
  const found = evidence.usage.events.find((event) => event.event === 'completion' && event.rid === rid);
  if (found?.event !== 'completion') throw new Error(`the green run has no completion ${rid}`);
  return found;
}

/** The verdict of one check on the green run after `alter`. */
export function verdictOf(
  id: string,
  alter?: (evidence: Mutable<Evidence>) => unknown,
  evidence: Evidence = greenRun(alter),
): Verdict {
  const [verdict] = judgeAll([pick(CHECKS, id)], evidence);
  if (verdict === undefined) throw new Error(`no verdict of ${id}`);
  return verdict;
}

/** The answer of a transcript; a test that names one without is wrong. */
export function responseOf({
  id,
  response,
}: Mutable<Transcript>): Mutable<NonNullable<Transcript['response']>> {
  if (response === undefined) throw new Error(`${id} has no response`);
  return response;
}

/** Puts other bytes in the place of a body, in as many pieces at the same times. */
export function replaceBody(body: Mutable<Payload>, content: string | Buffer): void {
  const { pieces } = body;
  const fresh: Mutable<Payload> = JSON.parse(
    JSON.stringify(payloadOf(content, { pieces: pieces.length || 1 })),
  );
  for (const [index, piece] of fresh.pieces.entries()) piece[0] = pieces[index]?.[0] ?? piece[0];
  Object.assign(body, fresh);
}

/** The bytes of a body. */
export const contentOf = (body: Payload): Buffer => Buffer.from(body.base64 ?? '', 'base64');
