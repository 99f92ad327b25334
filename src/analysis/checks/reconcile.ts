import type { HeaderPairs, Transcript } from '../../protocol/transcript.ts';
import type { CompletionEvent, HeaderMode } from '../../protocol/usage-event.ts';
import { sightOfCredentials } from '../carried-credentials.ts';
import type { Check, Violation } from '../check.ts';
import { about, clientLeft, completionOf, pointerTo } from '../check-kit.ts';
import { accountOf, type Exchange } from '../exchanges.ts';
import { isJsonObject, parseJson } from '../json.ts';
import { answerOf, isFinished, isStream } from '../oracle/answer.ts';
import { laneOf, requestFacts, valueOf } from '../wire.ts';

const attemptsAgree: Check = {
  id: 'RECONCILE-01',
  title: 'Every client request appears upstream exactly as often as its record names attempts',
  least: 1,
  needs: ['upstream', 'proxy'],
  judge(evidence) {
    const { exchanges, strayUpstream, readiness } = accountOf(evidence);
    const strays = strayUpstream.map((transcript) => {
      const { words, saw } = sightOfCredentials(transcript, evidence);
      return {
        what: `${transcript.observer} saw a ${transcript.request.method}${words} that no client sent`,
        ...(saw !== undefined && { saw }),
        pointers: [pointerTo(transcript)],
      };
    });
    const judged = exchanges.filter((exchange) => completionOf(exchange) !== undefined);
    return {
      observed: judged.length,
      violations: [...strays, ...judged.flatMap(miscountedAttempts)],
      ...(readiness.length > 0 && {
        note: `${readiness.length} readiness probes of the proxy, listed apart`,
      }),
    };
  },
};

function miscountedAttempts(exchange: Exchange): Violation[] {
  const attempts = completionOf(exchange)?.attempts ?? [];
  const providers = new Set(
    [...attempts, ...exchange.upstream.map(({ observer: provider }) => ({ provider }))].map(
      ({ provider }) => provider,
    ),
  );
  return [...providers].flatMap((provider) => {
    const named = attempts.filter((attempt) => attempt.provider === provider);
    // Without a status the attempt may have ended before anything left the proxy.
    const certain = named.filter(({ status }) => status !== undefined).length;
    const seen = exchange.upstream.filter(({ observer }) => observer === provider).length;
    if (seen >= certain && seen <= named.length) return [];
    const saw = { log: `${named.length} attempts`, [provider]: `${seen} requests` };
    return [about(exchange, `attempts on ${provider} do not agree`, { saw })];
  });
}

const oneRecord: Check = {
  id: 'RECONCILE-02',
  title: 'Exactly one completion and one decision per client request, and none without one',
  least: 1,
  needs: ['proxy'],
  judge(evidence) {
    const { exchanges, strayEvents } = accountOf(evidence);
    const strays = strayEvents.map(({ event, rid }) => ({
      what: `a ${event} line belongs to no client request`,
      pointers: [`rid:${rid}`],
    }));
    return { observed: exchanges.length, violations: [...strays, ...exchanges.flatMap(miscountedLines)] };
  },
};

function miscountedLines(exchange: Exchange): Violation[] {
  const completion = completionOf(exchange);
  const refusedAtTheDoor = completion !== undefined && completion.attempts.length === 0;
  const expected = {
    completions: [1],
    decisions: refusedAtTheDoor ? [0, 1] : [1],
    starts: completion?.sse === undefined ? [0, 1] : [1],
  };
  return (['completions', 'decisions', 'starts'] as const)
    .filter((kind) => !expected[kind].includes(exchange[kind].length))
    .map((kind) =>
      about(exchange, `the log has ${exchange[kind].length} ${LINES[kind]} lines`, {
        expected: expected[kind].join(' or '),
      }),
    );
}

const LINES = { completions: 'completion', decisions: 'decision', starts: 'stream_start' } as const;

const factsAgree: Check = {
  id: 'RECONCILE-03',
  title: 'Lane, model, status, header mode, protocol and sizes in the log are what the wire shows',
  least: 1,
  needs: ['upstream', 'proxy'],
  judge(evidence) {
    const judged = accountOf(evidence).exchanges.flatMap((exchange) =>
      exchange.completions.map((completion) => ({ exchange, completion })),
    );
    const violations = judged.flatMap(({ exchange, completion }) =>
      [...clientFacts(exchange, completion), ...upstreamFacts(exchange, completion)]
        .filter(({ log, wire }) => log !== wire)
        .map(({ fact, log, wire }) =>
          about(exchange, `${fact} in the log is not what the wire shows`, {
            expected: inWords(wire),
            saw: { log: inWords(log) },
          }),
        ),
    );
    return { observed: judged.length, violations };
  },
};

function inWords(fact: unknown): string {
  if (fact === undefined) return 'nothing';
  return typeof fact === 'string' ? fact : JSON.stringify(fact);
}

interface Comparison {
  readonly fact: string;
  readonly log: unknown;
  readonly wire: unknown;
}

function clientFacts(exchange: Exchange, completion: CompletionEvent): Comparison[] {
  const { client } = exchange;
  const { path, model } = requestFacts(client);
  const facts: Comparison[] = [{ fact: 'method', log: completion.method, wire: client.request.method }];
  // A client that left may have sent and got more than the proxy noticed, or less.
  const stayed = !clientLeft(exchange) && client.response !== undefined;
  if (stayed) facts.push({ fact: 'status', log: completion.status, wire: client.response?.status });
  facts.push({ fact: 'path', log: completion.path, wire: path });
  // What was refused at the door (too large, say) need not have been read.
  if (completion.attempts.length === 0) return facts;
  facts.push({ fact: 'model', log: completion.model, wire: model });
  if (stayed) facts.push({ fact: 'bytes_in', log: completion.bytes_in, wire: client.request.body.bytes });
  return facts;
}

function upstreamFacts(exchange: Exchange, completion: CompletionEvent): Comparison[] {
  const { answered, upstream } = exchange;
  if (answered === undefined) return [];
  const facts: Comparison[] = [
    { fact: 'lane', log: completion.lane, wire: laneOf(answered.observer) },
    { fact: 'provider', log: completion.provider, wire: answered.observer },
    { fact: 'h2', log: completion.h2, wire: answered.http === '2' },
    { fact: 'header_mode', log: completion.header_mode, wire: headerModeOf(answered) },
  ];
  const sameAttempts = upstream.length === completion.attempts.length;
  const attempts = sameAttempts ? upstream.flatMap((one, index) => attemptFacts(one, completion, index)) : [];
  const isWhole = answered.ending === 'complete' && exchange.client.ending === 'complete';
  return [...facts, ...attempts, ...(isWhole ? answerFacts(answered, completion) : [])];
}

/** How the key was sent; undefined on the Anthropic lane, where there is none of ours. */
function headerModeOf({ observer, request: { headers } }: Transcript): HeaderMode | undefined {
  if (observer === 'anth') return undefined;
  return (['x-api-key', 'authorization'] as const).find((name) => valueOf(headers, name) !== undefined);
}

function attemptFacts(upstream: Transcript, { attempts }: CompletionEvent, index: number): Comparison[] {
  const attempt = attempts[index];
  const name = `attempt ${index + 1}`;
  const facts: Comparison[] = [
    { fact: `provider of ${name}`, log: attempt?.provider, wire: upstream.observer },
    { fact: `h2 of ${name}`, log: attempt?.h2, wire: upstream.http === '2' },
    { fact: `header_mode of ${name}`, log: attempt?.header_mode, wire: headerModeOf(upstream) },
  ];
  // An answer that was cut, or never begun, may not have reached the proxy.
  return upstream.ending === 'complete'
    ? [...facts, { fact: `status of ${name}`, log: attempt?.status, wire: upstream.response?.status }]
    : facts;
}

/** What the log says of an answer that arrived whole, against the oracle's reading of it. */
function answerFacts(answered: Transcript, completion: CompletionEvent): Comparison[] {
  const { response } = answered;
  const answer = answerOf(answered);
  if (response === undefined || answer.kind === 'unreadable') return [];
  const facts: Comparison[] = [{ fact: 'bytes_out', log: completion.bytes_out, wire: response.body.bytes }];
  if (requestFacts(answered).op !== 'messages' || response.status >= 400) return facts;
  facts.push({ fact: 'served_model', log: completion.served_model, wire: servedModel(answered) });
  if (answer.kind !== 'stream' || !isStream(answered)) return facts;
  return [
    ...facts,
    { fact: 'sse.events', log: completion.sse?.events, wire: answer.events.length },
    { fact: 'sse.finished', log: completion.sse?.finished, wire: isFinished(answer.events) },
    { fact: 'upstream_request_id', log: completion.upstream_request_id, wire: sentId(response.headers) },
  ];
}

const sentId = (headers: HeaderPairs): string | undefined => valueOf(headers, 'request-id');

function servedModel(answered: Transcript): unknown {
  const answer = answerOf(answered);
  if (answer.kind === 'whole') return isJsonObject(answer.value) ? answer.value['model'] : undefined;
  if (answer.kind === 'unreadable') return undefined;
  const start = parseJson(answer.events.find(({ type }) => type === 'message_start')?.data ?? '');
  const message = isJsonObject(start) ? start['message'] : undefined;
  return isJsonObject(message) ? message['model'] : undefined;
}

export const RECONCILE_CHECKS: readonly Check[] = [attemptsAgree, oneRecord, factsAgree];
