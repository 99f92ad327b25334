import type { Payload, Transcript } from '../../protocol/transcript.ts';
import type { Check, Violation } from '../check.ts';
import { type Answered, about, answeredExchanges, clientLeft } from '../check-kit.ts';
import type { Evidence } from '../evidence.ts';
import { answerOf, isStream, type StreamEvent } from '../oracle/answer.ts';
import { tornCharacter } from '../oracle/torn-character.ts';
import { excuse, latenessBetween } from '../stalls.ts';

/** Exchanges of which both ends hold a readable stream. */
interface Streamed {
  readonly exchange: Answered;
  readonly sent: readonly StreamEvent[];
  readonly got: readonly StreamEvent[];
}

function streams(evidence: Evidence): Streamed[] {
  return answeredExchanges(evidence)
    .filter(
      ({ answered, client }) => isStream(answered) && client.response?.status === answered.response.status,
    )
    .map((exchange) => ({ exchange, sent: eventsOf(exchange.answered), got: eventsOf(exchange.client) }));
}

/** An answer that can't be read as events holds none: what was sent and did not arrive readable is lost. */
function eventsOf(transcript: Transcript): readonly StreamEvent[] {
  const answer = answerOf(transcript);
  return answer.kind === 'stream' ? answer.events : [];
}

/** A client that left, or whose patience ended, is owed no end. */
const waited = ({ exchange }: Streamed): boolean =>
  !clientLeft(exchange) && exchange.client.ending !== 'timeout';

const complete: Check = {
  id: 'STREAM-01',
  title: 'Streams end for the client as they ended upstream: message_stop if and only if it was sent',
  least: 1,
  needs: ['upstream'],
  judge(evidence) {
    const judged = streams(evidence).filter(waited);
    return { observed: judged.length, violations: judged.flatMap(differentEnd) };
  },
};

function differentEnd({ exchange, sent, got }: Streamed): Violation[] {
  const violations: Violation[] = [];
  const stops = [sent, got].map((events) => events.filter(({ type }) => type === 'message_stop').length);
  const reset = exchange.answered.ending !== 'complete';
  // Bytes in flight when an upstream resets may be lost; they may not appear from nowhere.
  if (reset ? (stops[1] ?? 0) > (stops[0] ?? 0) : stops[0] !== stops[1]) {
    const saw = { [exchange.answered.observer]: `${stops[0]} sent`, client: `${stops[1]} received` };
    violations.push(about(exchange, 'message_stop does not agree', { saw }));
  }
  // Over HTTP/2 a reset can look like an end to a proxy, so one without its message_stop may reach the client
  // as a break (docs/decisions/0005): it asks again, where it would have taken a torso for an answer.
  const mayBreak = exchange.answered.http === '2' && stops[0] === 0;
  if ((exchange.client.ending === 'complete') === reset && !(mayBreak && !reset)) {
    const saw = { [exchange.answered.observer]: exchange.answered.ending, client: exchange.client.ending };
    const what = reset ? 'a broken stream ended as if it were whole' : 'a whole stream was broken off';
    violations.push(about(exchange, what, { saw }));
  }
  return violations;
}

const asSent: Check = {
  id: 'STREAM-02',
  title: 'Events reach the client as sent: none lost, doubled, reordered or invented',
  least: 1,
  needs: ['upstream'],
  judge(evidence) {
    const judged = streams(evidence);
    return { observed: judged.length, violations: judged.flatMap(differentEvents) };
  },
};

function differentEvents(streamed: Streamed): Violation[] {
  const { exchange, sent, got } = streamed;
  const at = got.findIndex(({ type, data }, i) => type !== sent[i]?.type || data !== sent[i]?.data);
  const mayBePart = !waited(streamed) || exchange.answered.ending !== 'complete';
  if (at === -1 && (got.length === sent.length || mayBePart)) return [];
  const place = at === -1 ? got.length : at;
  const torn = at === -1 ? null : tornCharacter(exchange.answered, exchange.client);
  if (torn !== null)
    return [
      about(
        exchange,
        `event ${place + 1} is not the one that was sent: a character of ${torn.bytes} bytes was cut`,
        {
          expected: torn.sent,
          saw: { client: torn.got },
        },
      ),
    ];
  const expected = sent[place]?.type ?? 'the end';
  const saw = {
    client: got[place]?.type ?? 'the end',
    events: `${sent.length} sent, ${got.length} received`,
  };
  return [about(exchange, `event ${place + 1} is not the one that was sent`, { expected, saw })];
}

/** A stream shorter than this says nothing about pace: scheduling alone moves pieces by a hundred milliseconds where much else runs. */
const MIN_PACED_MS = 400;
/** A piece is late when it arrives more than this after it was sent, or a tenth of the stream if that is more … */
const LATE_MS = 150;
const LATE_SHARE_OF_STREAM = 0.1;
/** … and up to a quarter of the pieces may be: a busy machine stalls now and then, a buffer holds nearly all. */
const MAX_LATE_SHARE = 0.25;

const pace: Check = {
  id: 'STREAM-03',
  title:
    'Streams keep their pace: at least three quarters of the pieces arrive within 150 ms, or a tenth of the stream',
  least: 1,
  needs: ['upstream'],
  judge(evidence) {
    const judged = streams(evidence).filter((streamed) => waited(streamed) && isPaced(streamed));
    const late = judged.map((streamed) => delaysOf(streamed)).filter((delays) => isHeldUp(delays));
    const held = late.filter((delays) => isHeldUp(delays, evidence));
    const excused = late.filter((delays) => !held.includes(delays));
    return {
      // Late for the machine's reasons is not late for the proxy's, and not on time either.
      observed: judged.length - excused.length,
      violations: held.map(heldUp),
      ...(excused.length > 0 && {
        note: excuse(
          excused.length,
          Math.max(...excused.flatMap(({ pieces }) => pieces.map((piece) => latenessOf(piece, evidence)))),
        ),
      }),
    };
  },
};

function isPaced({ exchange: { answered } }: Streamed): boolean {
  const { pieces } = answered.response.body;
  return (
    answered.ending === 'complete' && pieces.length > 2 && spanOf(answered.response.body) >= MIN_PACED_MS
  );
}

const spanOf = ({ pieces }: Payload): number => (pieces.at(-1)?.[0] ?? 0) - (pieces[0]?.[0] ?? 0);

interface Delays {
  readonly exchange: Answered;
  /** What a piece may be late by, milliseconds. */
  readonly tolerance: number;
  /** Epoch milliseconds. */
  readonly pieces: readonly { readonly sentAt: number; readonly gotAt: number }[];
}

function delaysOf({ exchange }: Streamed): Delays {
  const { answered, client } = exchange;
  const sent = answered.response.body;
  const arrivals = arrivalTimes(client);
  let offset = 0;
  const pieces = sent.pieces.map(([ms, bytes]) => {
    offset += bytes;
    return { sentAt: answered.startedAt + ms, gotAt: arrivals(offset) };
  });
  return { exchange, tolerance: Math.max(LATE_MS, spanOf(sent) * LATE_SHARE_OF_STREAM), pieces };
}

type Delayed = Delays['pieces'][number];

const latenessOf = ({ sentAt, gotAt }: Delayed, evidence: Pick<Evidence, 'stalls'>): number =>
  latenessBetween(evidence, sentAt, gotAt);

/** How many pieces are late; with `evidence`, later than the machine itself can have made them. */
const lateIn = ({ pieces, tolerance }: Delays, evidence: Pick<Evidence, 'stalls'> = {}): number =>
  pieces.filter((piece) => piece.gotAt - piece.sentAt > tolerance + latenessOf(piece, evidence)).length;

const isHeldUp = (delays: Delays, evidence?: Pick<Evidence, 'stalls'>): boolean =>
  lateIn(delays, evidence) > delays.pieces.length * MAX_LATE_SHARE;

function heldUp(delays: Delays): Violation {
  const { exchange, pieces, tolerance } = delays;
  const worst = Math.max(...pieces.map(({ sentAt, gotAt }) => gotAt - sentAt));
  const saw = {
    client: `${lateIn(delays)} of ${pieces.length} pieces late, the latest by ${Math.round(worst)} ms`,
  };
  return about(exchange, 'the stream was held up', { expected: `within ${Math.round(tolerance)} ms`, saw });
}

/** When the client had so many bytes of body, in epoch milliseconds; asked for growing offsets. */
function arrivalTimes({ startedAt, response }: Transcript): (offset: number) => number {
  const pieces = response?.body.pieces ?? [];
  let index = -1;
  let received = 0;
  return (offset) => {
    while (received < offset && index < pieces.length) {
      index += 1;
      received += pieces[index]?.[1] ?? 0;
    }
    const piece = pieces[index];
    return received < offset || piece === undefined ? Number.POSITIVE_INFINITY : startedAt + piece[0];
  };
}

export const STREAM_CHECKS: readonly Check[] = [complete, asSent, pace];
