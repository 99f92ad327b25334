/**
 * What the difference between two witnesses amounts to, where that can be told from the bytes: a body that was unpacked, an event
 * that is missing, counts that are doubled. A check says that something differs; this says what somebody did to it.
 */
import { isDeepStrictEqual } from 'node:util';
import { duration } from '../../../analysis/duration.ts';
import { isJsonObject, parseJson } from '../../../analysis/json.ts';
import { answerOf, decodedBody } from '../../../analysis/oracle/answer.ts';
import { tokensOf } from '../../../analysis/oracle/tokens.ts';
import { bytesOf, endToEnd, valueOf } from '../../../analysis/wire.ts';
import type { HeaderPairs, Transcript } from '../../../protocol/transcript.ts';
import type { Case } from './case-file.ts';
import { type EventPair, eventsOf, isEqual, pairEvents } from './stream-events.ts';

type Answered = Transcript & { readonly response: NonNullable<Transcript['response']> };

interface Seen {
  readonly one: Case;
  readonly client: Answered;
  readonly upstream: Answered;
}

/** Sentences without a full stop, of an exchange that both ends saw; none where nothing of this kind is told by the bytes. */
export function readingsOf(one: Case): readonly string[] {
  const readings = known.get(one) ?? read(one);
  known.set(one, readings);
  return readings;
}

/** An exchange is read for each finding about it, and once for itself. */
const known = new WeakMap<Case, readonly string[]>();

function read(one: Case): string[] {
  const { client, answered: upstream } = one;
  if (client === undefined || upstream === undefined) return [];
  if (!hasAnswer(client) || !hasAnswer(upstream)) return rewritten(client, upstream);
  const seen = { one, client, upstream };
  return [
    ...rewritten(client, upstream),
    ...requestHeaders(seen),
    ...unpacked(seen),
    ...changedEvents(seen),
    ...heldBack(seen),
    ...answerHeaders(seen),
    ...countedTokens(seen),
  ];
}

const hasAnswer = (transcript: Transcript): transcript is Answered => transcript.response !== undefined;

function rewritten({ request: sent }: Transcript, { request: got }: Transcript): string[] {
  if (sent.body.sha256 === got.body.sha256) return [];
  const [before, after] = [sent, got].map(({ body }) => parseJson(bytesOf(body)?.toString('utf8') ?? ''));
  return isJsonObject(before) && isDeepStrictEqual(before, after)
    ? ['the request body was parsed and written anew: the same JSON in other bytes']
    : [];
}

/** Every hop has its own, or makes them anew; a lane with a key of its own gets that. */
const OWN = new Set(['host', 'date', 'content-length', 'authorization', 'x-api-key', 'cookie']);

function requestHeaders({ one, client, upstream }: Seen): string[] {
  // Another lane gets what its catalog entry lets through.
  return one.lane === 'anthropic' ? moved('request', client.request.headers, upstream.request.headers) : [];
}

const answerHeaders = ({ client, upstream }: Seen): string[] =>
  moved('answer', upstream.response.headers, client.response.headers);

function moved(what: string, sent: HeaderPairs, got: HeaderPairs): string[] {
  const names = (headers: HeaderPairs) =>
    new Set(
      endToEnd(headers)
        .map(([name]) => name.toLowerCase())
        .filter((name) => !OWN.has(name)),
    );
  const [before, after] = [names(sent), names(got)];
  const say = (from: ReadonlySet<string>, to: ReadonlySet<string>, word: string): string[] => {
    const only = [...from].filter((name) => !to.has(name));
    return only.length === 0 ? [] : [`${what} header ${only.join(', ')} ${word}`];
  };
  return [...say(before, after, 'did not arrive'), ...say(after, before, 'was added on the way')];
}

function unpacked({ client, upstream }: Seen): string[] {
  const encoding = valueOf(upstream.response.headers, 'content-encoding') ?? 'identity';
  if (encoding === 'identity' || client.response.body.sha256 === upstream.response.body.sha256) return [];
  const plain = decodedBody(upstream);
  const got = bytesOf(client.response.body);
  if (
    got !== null &&
    got.length > 0 &&
    plain !== null &&
    decodedBody(client) === null &&
    !plain.subarray(0, got.length).equals(got)
  )
    return [`what the client got as ${encoding} cannot be unpacked any more`];
  if (plain === null || got === null || got.length === 0 || !plain.subarray(0, got.length).equals(got))
    return [];
  const told = valueOf(client.response.headers, 'content-encoding');
  return [
    `the client got the ${encoding} body unpacked${told === undefined ? '' : `, and is still told that it is ${told}`}`,
  ];
}

function changedEvents({ client, upstream }: Seen): string[] {
  const [sent, got] = [eventsOf(upstream), eventsOf(client)];
  if (sent === null || got === null || got.length === 0) return [];
  const pairs = pairEvents(sent, got);
  // What a client that left, or an upstream that broke, cost at the end is no riddle.
  const mayBePart = client.ending !== 'complete' || upstream.ending !== 'complete';
  const end = mayBePart ? pairs.findLastIndex((pair) => pair.got !== null) + 1 : pairs.length;
  const odd = pairs.slice(0, end).filter((pair) => !isEqual(pair));
  const missing = odd.flatMap((pair) => pair.sent ?? []);
  const invented = odd.flatMap((pair) => pair.got ?? []);
  if (odd.length === 0) return [];
  const kinds = (events: readonly { readonly type: string; readonly data: string }[]) =>
    events.map(({ type, data }) => `${type} ${data}`).toSorted();
  if (isDeepStrictEqual(kinds(missing), kinds(invented))) return ['the same events arrived in another order'];
  const doubled = invented.filter((event) =>
    sent.some(({ type, data }) => type === event.type && data === event.data),
  );
  if (missing.length === 0 && doubled.length === invented.length) return [`${tally(invented)} arrived twice`];
  if (isDeepStrictEqual(missing.map(typeOf), invented.map(typeOf)))
    return [
      `${tally(missing)} arrived with ${isTorn(invented) && !isTorn(missing) ? 'torn characters (U+FFFD)' : 'other data'}`,
    ];
  return [
    ...(missing.length === 0 ? [] : [`${tally(missing)} never arrived`]),
    ...(invented.length === 0 ? [] : [`${tally(invented)} arrived and was never sent`]),
  ];
}

const isTorn = (events: readonly { readonly data: string }[]): boolean =>
  events.some(({ data }) => data.includes('\ufffd'));

const typeOf = ({ type }: { readonly type: string }): string => type;

function tally(events: readonly NonNullable<EventPair['sent']>[]): string {
  const types = Map.groupBy(events, typeOf);
  return [...types].map(([type, own]) => (own.length === 1 ? type : `${own.length} × ${type}`)).join(', ');
}

/** A stream shorter than this says nothing about pace. */
const LEAST_SPAN_MS = 300;

function heldBack({ client, upstream }: Seen): string[] {
  const span = ({ response }: Answered): number =>
    (response.body.pieces.at(-1)?.[0] ?? 0) - (response.body.pieces[0]?.[0] ?? 0);
  const [sent, got] = [span(upstream), span(client)];
  if (
    client.ending !== 'complete' ||
    upstream.ending !== 'complete' ||
    sent < LEAST_SPAN_MS ||
    got > sent / 4
  )
    return [];
  return [
    `sent over ${duration(sent)}, all of it reached the client within ${duration(got)} at the end: somebody held it back`,
  ];
}

const KINDS = ['input', 'output', 'cache_read', 'cache_write_5m', 'cache_write_1h'] as const;

function countedTokens({ one, upstream, client }: Seen): string[] {
  const [stated, logged] = [tokensOf(answerOf(upstream)), one.completion?.tokens];
  const shown = tokensOf(answerOf(client));
  const nothing = { input: 0, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 };
  if (stated === undefined || client.ending !== 'complete') return [];
  const compare = (who: string, counted: typeof nothing): string[] => {
    const used = KINDS.filter((kind) => stated[kind] > 0 && counted[kind] !== stated[kind]);
    const factors = new Set(
      KINDS.filter((kind) => stated[kind] > 0).map((kind) => counted[kind] / stated[kind]),
    );
    const [factor = 1] = factors;
    if (used.length === 0) return [];
    if (factors.size === 1 && factor > 1) return [`${who} exactly ${factor} times what the upstream stated`];
    if (!used.every((kind) => counted[kind] === 0)) return [];
    return [
      `${who} no ${used.every((kind) => kind.startsWith('cache')) ? 'cache reads and writes' : used.join(', ')}`,
    ];
  };
  return [
    ...(one.completion === undefined ? [] : compare('the log counts', logged ?? nothing)),
    ...(shown === undefined ? [] : compare('the client was told', shown)),
  ];
}
