import type { Transcript } from '../../protocol/transcript.ts';
import type { Check, Violation } from '../check.ts';
import { about, clientLeft } from '../check-kit.ts';
import type { Evidence } from '../evidence.ts';
import { accountOf, type Exchange } from '../exchanges.ts';
import { isJsonObject, parseJson } from '../json.ts';
import { isStream } from '../oracle/answer.ts';
import { excuse, latenessBetween } from '../stalls.ts';
import { bytesOf } from '../wire.ts';

/** The run whose target has limits that can be waited for: `CCP_HEADER_TIMEOUT` and `CCP_SSE_IDLE_TIMEOUT`, milliseconds. */
export const SHORT_LIMIT = { suite: 'timeouts', ms: 1_000 } as const;
/** The proxy looks twenty times a second, and what comes next has to travel. */
const LATE_MS = 500;
/** Times of several clocks, in whole milliseconds. */
const EARLY_MS = 50;

const givenUp: Check = {
  id: 'TIMEOUT-01',
  title: `An upstream that answers nothing, or falls silent within a stream, is given up when its time is over, within ${LATE_MS} ms: the next lane is asked, or the client gets 504 timeout_error; a stream is broken off`,
  // Attempts that nobody answered, and streams that fell silent.
  least: 1,
  needs: ['upstream'],
  judge(evidence) {
    if (evidence.suite !== SHORT_LIMIT.suite)
      return { observed: 0, violations: [], skipped: 'the run waits for no limit of the proxy' };
    const stayed = accountOf(evidence).exchanges.filter((exchange) => !clientLeft(exchange));
    const silent = stayed.filter((exchange) => exchange.upstream.some(isSilent));
    const kinds = [silent.flatMap(waitsIn), stayed.flatMap(silenceIn)];
    const waits = kinds.flat();
    const excused = waits.filter((one) => isLate(one) && one.ms <= MOST_MS + latenessOf(one, evidence));
    // Nothing can be said of streams where all of them are left out, however many heads were waited for; nor the other way round.
    const isBlind = kinds.some((kind) => kind.length > 0 && kind.every((one) => excused.includes(one)));
    return {
      observed: isBlind ? 0 : waits.length - excused.length,
      violations: [
        ...waits.filter((one) => !excused.includes(one)).flatMap(mistimed),
        ...silent.flatMap(mistold),
      ],
      ...(excused.length > 0 && {
        note: excuse(excused.length, Math.max(...excused.map((one) => latenessOf(one, evidence)))),
      }),
    };
  },
};

const isSilent = ({ response }: Transcript): boolean => response === undefined;

/** An upstream from which nothing came, and how long that was borne. */
interface Wait {
  readonly exchange: Exchange;
  /** What the upstream did, as one would tell it. */
  readonly what: string;
  /** Epoch milliseconds: the request as the upstream saw it, or its last byte. */
  readonly from: number;
  /** Until something came of that; Infinity where nothing did. */
  readonly ms: number;
  readonly isEarly: boolean;
  /** It ended because the client's patience did. */
  readonly isEndless: boolean;
  readonly saw: Readonly<Record<string, string>>;
}

/** The attempts without an answer. One is early that was given up before all limits so far, counted from the client's request: an upstream may see its own late. */
function waitsIn(exchange: Exchange): Wait[] {
  const { client, upstream } = exchange;
  return upstream.flatMap((attempt, index) => {
    if (!isSilent(attempt)) return [];
    const { observer, startedAt: from } = attempt;
    const next = upstream[index + 1]?.startedAt ?? client.startedAt + (client.response?.headMs ?? Infinity);
    const limits = SHORT_LIMIT.ms * upstream.slice(0, index + 1).filter(isSilent).length;
    const isEndless = next === Infinity;
    const saw = isEndless
      ? { client: `nothing, ${client.ending} after ${Math.round(client.endedMs)} ms` }
      : { [observer]: `something else came ${Math.round(next - from)} ms after the request` };
    const isEarly = next - client.startedAt < limits - EARLY_MS;
    return [
      { exchange, what: `${observer} answered nothing`, from, ms: next - from, isEarly, isEndless, saw },
    ];
  });
}

/** The stream that did not end of itself, from its last byte until it ended for the client. */
function silenceIn(exchange: Exchange): Wait[] {
  const { client, answered } = exchange;
  if (answered?.response === undefined || !isStream(answered) || !wasLeft(answered)) return [];
  const { observer, startedAt, response } = answered;
  const from = startedAt + (response.body.pieces.at(-1)?.[0] ?? response.headMs);
  const ms = client.startedAt + client.endedMs - from;
  const isEndless = client.ending === 'timeout';
  // A client without patience shows nothing of the limit.
  if (isEndless && ms <= MOST_MS) return [];
  const saw = { client: `${client.ending} ${Math.round(ms)} ms after the last byte of ${observer}` };
  const isEarly = ms < SHORT_LIMIT.ms - EARLY_MS;
  return [{ exchange, what: `${observer} fell silent`, from, ms, isEarly, isEndless, saw }];
}

const wasLeft = ({ ending }: Transcript): boolean => ending === 'cut_by_peer' || ending === 'timeout';

const MOST_MS = SHORT_LIMIT.ms + LATE_MS;
const isLate = ({ ms }: Wait): boolean => ms > MOST_MS;

const latenessOf = ({ from, ms }: Wait, evidence: Evidence): number =>
  latenessBetween(evidence, from, from + ms);

function mistimed(wait: Wait): Violation[] {
  const { exchange, what, isEarly, isEndless, saw } = wait;
  if (!isLate(wait) && !isEarly) return [];
  const when = isEndless ? 'never given up' : `given up ${isLate(wait) ? 'late' : 'early'}`;
  return [about(exchange, `${what}, and was ${when}`, { expected: EXPECTED, saw })];
}

const EXPECTED = `given up after ${SHORT_LIMIT.ms} ms, or up to ${LATE_MS} later`;

/** Where the last that was asked answered nothing either: what the client is to be told. */
function mistold(exchange: Exchange): Violation[] {
  const { client, upstream } = exchange;
  const { response } = client;
  const last = upstream.at(-1);
  if (response === undefined || last === undefined || !isSilent(last)) return [];
  const body = parseJson(bytesOf(response.body)?.toString('utf8') ?? '');
  const error =
    isJsonObject(body) && body['type'] === 'error' && isJsonObject(body['error']) ? body['error'] : {};
  const { type, message } = error;
  const isTold = type === 'timeout_error' && typeof message === 'string' && message !== '';
  if (response.status === 504 && isTold) return [];
  const saw = { client: `${response.status} ${typeof type === 'string' ? type : 'without a type'}` };
  return [about(exchange, 'is told otherwise', { expected: '504 timeout_error, and why', saw })];
}

export const TIMEOUT_CHECKS: readonly Check[] = [givenUp];
