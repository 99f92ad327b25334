/**
 * The cases of a report: each client request with what the other witnesses hold on it, and what was found wrong with it.
 * What found no client is a case of its own: a request that nobody sent, a record of nothing.
 */
import type { Evidence } from '../../../analysis/evidence.ts';
import { accountOf, type Exchange } from '../../../analysis/exchanges.ts';
import { laneOf, requestFacts } from '../../../analysis/wire.ts';
import type { Transcript } from '../../../protocol/transcript.ts';
import type { CompletionEvent, UsageEvent } from '../../../protocol/usage-event.ts';
import type { ProbeResult } from '../../../protocol/witness.ts';
import type { RunRecord } from '../../run-record.ts';

type Verdict = RunRecord['checks'][number];
export type Violation = Verdict['violations'][number];

export interface Problem {
  readonly check: string;
  readonly violation: Violation;
}

export interface Case {
  /** From 1 on, in order of time. */
  readonly number: number;
  readonly name: string;
  readonly probe: ProbeResult | undefined;
  /** Absent where no client is known to have caused it. */
  readonly client: Transcript | undefined;
  /** In order of arrival. */
  readonly upstream: readonly Transcript[];
  /** The one whose answer the client was given. */
  readonly answered: Transcript | undefined;
  /** The proxy's lines on it. */
  readonly records: readonly UsageEvent[];
  readonly completion: CompletionEvent | undefined;
  /** Where it went, as the upstreams saw it, else as the proxy says; null where nobody knows. */
  readonly lane: string | null;
  readonly model: string | null;
  readonly problems: readonly Problem[];
}

export interface CaseFile {
  readonly cases: readonly Case[];
  /** The cases that a violation is about. */
  readonly about: (violation: Violation) => readonly Case[];
  /** The requests by which the proxy asked whether its upstreams are there. */
  readonly readiness: readonly Transcript[];
}

type Parts = Omit<Case, 'number' | 'problems'>;

/** Gathers the cases of a run. `checks`: its verdicts. */
export function caseFileOf(evidence: Evidence, checks: readonly Verdict[]): CaseFile {
  const { exchanges, strayUpstream, strayEvents, readiness } = accountOf(evidence);
  const parts = [
    ...exchanges.map(fromExchange),
    ...strayUpstream.map(fromStray),
    ...[...Map.groupBy(strayEvents, ({ rid }) => rid).values()].map(fromRecords),
  ].toSorted((a, b) => beginOf(a) - beginOf(b));

  const places = new Map<string, number[]>();
  for (const [index, part] of parts.entries()) {
    for (const pointer of pointersTo(part)) places.set(pointer, [...(places.get(pointer) ?? []), index]);
  }
  const indexesOf = ({ pointers }: Violation): number[] => [
    ...new Set(pointers.flatMap((pointer) => places.get(pointer) ?? [])),
  ];
  const problems = new Map<number, Problem[]>();
  for (const { id: check, violations } of checks) {
    for (const violation of violations) {
      for (const index of indexesOf(violation))
        problems.set(index, [...(problems.get(index) ?? []), { check, violation }]);
    }
  }
  const cases = parts.map((part, index) => ({
    ...part,
    number: index + 1,
    problems: problems.get(index) ?? [],
  }));
  return {
    cases,
    readiness,
    about: (violation) => indexesOf(violation).flatMap((index) => cases[index] ?? []),
  };
}

function fromExchange(exchange: Exchange): Parts {
  const { client, probe, upstream, answered, decisions, starts, completions } = exchange;
  const completion = completions.at(-1);
  const last = answered ?? upstream.at(-1);
  return {
    name: probe?.id ?? requestLine(client),
    probe,
    client,
    upstream,
    answered,
    records: [...decisions, ...starts, ...completions],
    completion,
    lane: last === undefined ? (completion?.lane ?? null) : laneOf(last.observer),
    model: requestFacts(client).model,
  };
}

const fromStray = (transcript: Transcript): Parts => ({
  name: `${requestLine(transcript)}, which no client sent`,
  probe: undefined,
  client: undefined,
  upstream: [transcript],
  answered: transcript,
  records: [],
  completion: undefined,
  lane: laneOf(transcript.observer),
  model: requestFacts(transcript).model,
});

function fromRecords(records: readonly UsageEvent[]): Parts {
  const completion = records.find((event) => event.event === 'completion');
  return {
    name: `rid ${records[0]?.rid ?? ''}, a record without a request`,
    probe: undefined,
    client: undefined,
    upstream: [],
    answered: undefined,
    records,
    completion,
    lane: completion?.lane ?? records[0]?.lane ?? null,
    model: completion?.model ?? null,
  };
}

const requestLine = ({ request }: Transcript): string => `${request.method} ${request.target}`;

/** Epoch milliseconds. */
export function beginOf({
  client,
  upstream,
  records,
}: Pick<Case, 'client' | 'upstream' | 'records'>): number {
  return client?.startedAt ?? upstream[0]?.startedAt ?? Date.parse(records[0]?.ts ?? '');
}

/** How violations name it: its transcripts, the ids of its records, its probe. */
function* pointersTo({ client, upstream, records, probe }: Parts): Generator<string> {
  if (client !== undefined) yield `client:${client.id}`;
  for (const { observer, id } of upstream) yield `${observer}:${id}`;
  for (const rid of new Set(records.map((event) => event.rid))) yield `rid:${rid}`;
  if (probe !== undefined) yield `probe:${probe.id}`;
}
