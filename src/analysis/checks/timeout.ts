import type { Transcript } from '../../protocol/transcript.ts';
import type { Check, Violation } from '../check.ts';
import { about, clientLeft } from '../check-kit.ts';
import type { Evidence } from '../evidence.ts';
import { accountOf, type Exchange } from '../exchanges.ts';
import { isJsonObject, parseJson } from '../json.ts';
import { excuse, latenessBetween } from '../stalls.ts';
import { bytesOf } from '../wire.ts';

/** The run whose target has a limit that can be waited for: `CCP_HEADER_TIMEOUT`, milliseconds. */
export const SHORT_LIMIT = { suite: 'timeouts', ms: 1_000 } as const;
/** The proxy looks twenty times a second, and what comes next has to travel. */
const LATE_MS = 500;
/** Times of several clocks, in whole milliseconds. */
const EARLY_MS = 50;

const givenUp: Check = {
  id: 'TIMEOUT-01',
  title: `An upstream that answers nothing is given up when its time is over, within ${LATE_MS} ms: the next lane is asked, or the client gets 504 timeout_error`,
  // Attempts that nobody answered.
  least: 1,
  needs: ['upstream'],
  judge(evidence) {
    if (evidence.suite !== SHORT_LIMIT.suite)
      return { observed: 0, violations: [], skipped: 'the run waits for no limit of the proxy' };
    const silent = accountOf(evidence).exchanges.filter(
      (exchange) => !clientLeft(exchange) && exchange.upstream.some(isSilent),
    );
    const waits = silent.flatMap(waitsIn);
    const excused = waits.filter((one) => isLate(one) && one.ms <= MOST_MS + latenessOf(one, evidence));
    return {
      observed: waits.length - excused.length,
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

/** An attempt without an answer. */
interface Wait {
  readonly exchange: Exchange;
  readonly attempt: Transcript;
  /** From when the upstream saw it until something came of that; Infinity where nothing did. */
  readonly ms: number;
  /** Whether that came sooner than all limits so far, counted from the client's request: an upstream may see its own late. */
  readonly isEarly: boolean;
}

function waitsIn(exchange: Exchange): Wait[] {
  const { client, upstream } = exchange;
  return upstream.flatMap((attempt, index) => {
    if (!isSilent(attempt)) return [];
    const next = upstream[index + 1]?.startedAt ?? client.startedAt + (client.response?.headMs ?? Infinity);
    const limits = SHORT_LIMIT.ms * upstream.slice(0, index + 1).filter(isSilent).length;
    const isEarly = next - client.startedAt < limits - EARLY_MS;
    return [{ exchange, attempt, ms: next - attempt.startedAt, isEarly }];
  });
}

const MOST_MS = SHORT_LIMIT.ms + LATE_MS;
const isLate = ({ ms }: Wait): boolean => ms > MOST_MS;

const latenessOf = ({ attempt, ms }: Wait, evidence: Evidence): number =>
  latenessBetween(evidence, attempt.startedAt, attempt.startedAt + ms);

function mistimed(wait: Wait): Violation[] {
  const { exchange, attempt, ms } = wait;
  const { observer } = attempt;
  const { client } = exchange;
  if (ms === Infinity) {
    const saw = { client: `nothing, ${client.ending} after ${Math.round(client.endedMs)} ms` };
    return [
      about(exchange, `${observer} answered nothing, and was never given up`, { expected: EXPECTED, saw }),
    ];
  }
  if (!isLate(wait) && !wait.isEarly) return [];
  const saw = { [observer]: `something else came ${Math.round(ms)} ms after the request` };
  return [
    about(exchange, `${observer} was given up ${isLate(wait) ? 'late' : 'early'}`, {
      expected: EXPECTED,
      saw,
    }),
  ];
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
