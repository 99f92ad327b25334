/**
 * One account of three witnesses: which upstream transcripts and which records belong to which client
 * request. Matched by the request id that the mock minted, then by the bytes or the canary of the body and the time.
 * Whatever finds no partner is kept as stray, for the reconciliation to report.
 */
import type { Transcript } from '../protocol/transcript.ts';
import type {
  CompletionEvent,
  DecisionEvent,
  StreamStartEvent,
  UsageEvent,
} from '../protocol/usage-event.ts';
import { createBearing } from './bearers.ts';
import type { Evidence, ProbeResult } from './evidence.ts';
import { problemOfLine } from './usage-line.ts';
import { endOf, originForm, requestFacts, valueOf } from './wire.ts';

/** One client request and everything that the other witnesses hold on it. */
export interface Exchange {
  readonly client: Transcript;
  /** The probe whose canary is in the request. */
  readonly probe: ProbeResult | undefined;
  /** In order of arrival; more than one where a lane failed and another took over. */
  readonly upstream: readonly Transcript[];
  /** The upstream transcript whose answer the client was given, as far as can be told. */
  readonly answered: Transcript | undefined;
  readonly completions: readonly CompletionEvent[];
  readonly decisions: readonly DecisionEvent[];
  readonly starts: readonly StreamStartEvent[];
}

export interface Account {
  readonly exchanges: readonly Exchange[];
  /** Upstream requests without a client that carry no body and no credential: the proxy asked who is there. */
  readonly readiness: readonly Transcript[];
  readonly strayUpstream: readonly Transcript[];
  readonly strayEvents: readonly UsageEvent[];
  /** Events that are none, by their index in the evidence; they take no part in the account. */
  readonly malformed: readonly { readonly index: number; readonly problem: string }[];
}

const accounts = new WeakMap<Evidence, Account>();

/** The account of a run, made once per evidence. */
export function accountOf(evidence: Evidence): Account {
  const known = accounts.get(evidence);
  if (known !== undefined) return known;
  const account = makeAccount(evidence);
  accounts.set(evidence, account);
  return account;
}

/** Both witnesses stamp on one machine, each when it notices. */
const SLACK_MS = 50;
/** A completion is written when everything about the exchange is known, a little after its end. */
const RECORD_SLACK_MS = 2_000;

function makeAccount(evidence: Evidence): Account {
  const probeOf = createProbeOf(evidence.probes);
  const open = evidence.client
    .filter(({ request }) => !isOwnEndpoint(request.target))
    .map((client): OpenExchange => {
      const probe = probeOf(client);
      return { client, probe, upstream: [], completions: [], decisions: [], starts: [] };
    });
  const unmatched = matchUpstream(open, evidence.upstream, probeOf);
  for (const { upstream } of open) upstream.sort((a, b) => a.startedAt - b.startedAt);

  const problems = evidence.usage.events.map(problemOfLine);
  const sound = evidence.usage.events.filter((_event, index) => problems[index] === undefined);
  const strayEvents = matchRecords(open, sound);

  return {
    exchanges: open.map((exchange) => ({ ...exchange, answered: answeredOf(exchange) })),
    readiness: unmatched.filter(isReadinessProbe),
    strayUpstream: unmatched.filter((transcript) => !isReadinessProbe(transcript)),
    strayEvents,
    malformed: problems.flatMap((problem, index) => (problem === undefined ? [] : [{ index, problem }])),
  };
}

/** Paths that the proxy answers itself (contract, section 8); they never become an exchange. */
function isOwnEndpoint(target: string): boolean {
  return /^\/(healthz|readyz|metrics|v1\/(usage|quotas|dev|ccp))(?=[/?]|$)/.test(originForm(target));
}

function isReadinessProbe({ request }: Transcript): boolean {
  const anonymous = ['authorization', 'x-api-key'].every(
    (name) => valueOf(request.headers, name) === undefined,
  );
  return anonymous && asksForNothing({ request });
}

/** Whether by its form a request only asks who is there, be there a credential on it or not. */
export const asksForNothing = ({ request }: Pick<Transcript, 'request'>): boolean =>
  request.body.bytes === 0 && request.method !== 'POST';

/** An exchange while its parts are being gathered. */
interface OpenExchange {
  readonly client: Transcript;
  readonly probe: ProbeResult | undefined;
  readonly upstream: Transcript[];
  readonly completions: CompletionEvent[];
  readonly decisions: DecisionEvent[];
  readonly starts: StreamStartEvent[];
}

type ProbeOf = (transcript: Transcript) => ProbeResult | undefined;

/** The first of these whose phrase a request bears. */
function createProbeOf(probes: readonly ProbeResult[]): ProbeOf {
  const bearing = createBearing(probes.map(({ canary }) => canary));
  const ranks = new Map(probes.map(({ canary }, rank) => [canary, rank] as const).toReversed());
  return (transcript) => {
    const borne = [...bearing(transcript)].flatMap((phrase) => ranks.get(phrase) ?? []);
    return probes[Math.min(...borne)];
  };
}

/** Assigns each upstream transcript to the client request that caused it; gives those that have none. */
function matchUpstream(
  clients: readonly OpenExchange[],
  upstream: readonly Transcript[],
  probeOf: ProbeOf,
): Transcript[] {
  const byId = new Map(clients.flatMap((open) => idsOf(open.client).map((id) => [id, open])));
  const inOrder = upstream.toSorted((a, b) => a.startedAt - b.startedAt);
  const rest = inOrder.filter((transcript) => {
    const owner = idsOf(transcript).map((id) => byId.get(id))[0];
    owner?.upstream.push(transcript);
    return owner === undefined;
  });
  return rest.filter((transcript) => {
    const probe = probeOf(transcript);
    const owner =
      freest(clients.filter((open) => sameTime(open, transcript) && sameBytes(open, transcript))) ??
      freest(clients.filter((open) => sameTime(open, transcript) && sameCanary(open, probe)));
    owner?.upstream.push(transcript);
    return owner === undefined;
  });
}

const idsOf = ({ requestId }: Transcript): string[] => (requestId === undefined ? [] : [requestId]);

/** Of several that fit, one that has fewer attempts already; among equals the latest. */
function freest(candidates: readonly OpenExchange[]): OpenExchange | undefined {
  return candidates.toSorted(
    (a, b) => a.upstream.length - b.upstream.length || b.client.startedAt - a.client.startedAt,
  )[0];
}

function sameTime({ client }: OpenExchange, { startedAt }: Transcript): boolean {
  return startedAt >= client.startedAt - SLACK_MS && startedAt <= endOf(client) + SLACK_MS;
}

function sameBytes({ client }: OpenExchange, { request }: Transcript): boolean {
  return (
    client.request.body.sha256 === request.body.sha256 &&
    client.request.method === request.method &&
    (request.body.bytes > 0 || request.target.endsWith(originForm(client.request.target)))
  );
}

const sameCanary = ({ probe }: OpenExchange, other: ProbeResult | undefined): boolean =>
  probe !== undefined && probe === other;

function answeredOf({ client, upstream }: OpenExchange): Transcript | undefined {
  const byId = upstream.findLast(
    ({ requestId }) => requestId !== undefined && requestId === client.requestId,
  );
  return byId ?? upstream.at(-1);
}

/** Assigns each event by its `rid`, once the completion of that `rid` has found its request; gives the strays. */
function matchRecords(clients: readonly OpenExchange[], events: readonly UsageEvent[]): UsageEvent[] {
  const owners = new Map<string, OpenExchange>();
  const completions = events.filter((event) => event.event === 'completion');
  const assign = (find: (completion: CompletionEvent) => OpenExchange | undefined): void => {
    for (const completion of completions) {
      const owner = owners.has(completion.rid) ? undefined : find(completion);
      if (owner !== undefined) owners.set(completion.rid, owner);
    }
  };
  const byRequestId = new Map(
    clients.flatMap((open) => [open.client, ...open.upstream].flatMap(idsOf).map((id) => [id, open])),
  );
  assign(({ upstream_request_id: id }) => (id === undefined ? undefined : byRequestId.get(id)));
  assign((completion) => nearest(clients, completion, new Set(owners.values())));

  return events.filter((event) => {
    const owner = owners.get(event.rid);
    if (event.event === 'completion') owner?.completions.push(event);
    else if (event.event === 'decision') owner?.decisions.push(event);
    else owner?.starts.push(event);
    return owner === undefined;
  });
}

/** Where no id was minted: the same request by its facts, with no record of its own yet, the nearest in size and end. */
function nearest(
  clients: readonly OpenExchange[],
  completion: CompletionEvent,
  taken: ReadonlySet<OpenExchange>,
): OpenExchange | undefined {
  const at = Date.parse(completion.ts);
  const size = ({ client }: OpenExchange) => Math.abs(client.request.body.bytes - completion.bytes_in);
  const distance = ({ client }: OpenExchange) => Math.abs(endOf(client) - at);
  return clients
    .filter((open) => !taken.has(open) && sameFacts(open.client, completion, at))
    .toSorted((a, b) => size(a) - size(b) || distance(a) - distance(b))[0];
}

function sameFacts(client: Transcript, completion: CompletionEvent, at: number): boolean {
  return (
    client.request.method === completion.method &&
    requestFacts(client).path === completion.path &&
    at >= client.startedAt - SLACK_MS &&
    at <= endOf(client) + RECORD_SLACK_MS
  );
}
