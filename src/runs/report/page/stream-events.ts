/**
 * The events of a stream as they were sent and as they arrived, laid side by side: what is missing, what is new and how long
 * each was on its way.
 */
import { answerOf, isStream } from '../../../analysis/oracle/answer.ts';
import { bytesOf, valueOf } from '../../../analysis/wire.ts';
import type { Transcript } from '../../../protocol/transcript.ts';

export interface TimedEvent {
  readonly type: string;
  readonly data: string;
  /** Epoch milliseconds at which its last byte passed; null where that cannot be told, as of a compressed body. */
  readonly at: number | null;
}

/** One line of the comparison; an event that changed is one that is missing and one that is new. */
export interface EventPair {
  readonly sent: TimedEvent | null;
  readonly got: TimedEvent | null;
}

/** The events that an observer saw; null where it saw no stream, or none that it kept. */
export function eventsOf(transcript: Transcript | undefined): readonly TimedEvent[] | null {
  if (transcript === undefined || !isStream(transcript)) return null;
  const answer = answerOf(transcript);
  if (answer.kind !== 'stream') return null;
  const times = endTimes(transcript);
  const known = times.length === answer.events.length;
  return answer.events.map((event, index) => ({ ...event, at: known ? (times[index] ?? null) : null }));
}

/** When the blank line after each block with data in it passed. */
function endTimes({ startedAt, response }: Transcript): number[] {
  const body = response === undefined ? null : bytesOf(response.body);
  const encoding = valueOf(response?.headers ?? [], 'content-encoding') ?? 'identity';
  if (response === undefined || body === null || encoding !== 'identity') return [];
  const times: number[] = [];
  const { pieces } = response.body;
  let piece = 0;
  let passed = pieces[0]?.[1] ?? 0;
  let begin = 0;
  const text = body.toString('latin1');
  for (const { index, 0: blank } of text.matchAll(/\r\n\r\n|\n\n|\r\r/g)) {
    const end = index + blank.length;
    while (passed < end && piece < pieces.length - 1) {
      piece += 1;
      passed += pieces[piece]?.[1] ?? 0;
    }
    if (/^data(?::|$)/m.test(text.slice(begin, index))) times.push(startedAt + (pieces[piece]?.[0] ?? 0));
    begin = end;
  }
  return times;
}

/** Above this the comparison goes by place alone: its cost grows with the square. */
const MOST_ALIGNED = 400;

/** Pairs what is equal, in order, so that one missing event does not make all after it look wrong. */
export function pairEvents(sent: readonly TimedEvent[], got: readonly TimedEvent[]): EventPair[] {
  let head = 0;
  while (head < Math.min(sent.length, got.length) && same(sent[head], got[head])) head += 1;
  const paired = sent.slice(0, head).map((event, index) => ({ sent: event, got: got[index] ?? null }));
  return [...paired, ...pairRest(sent.slice(head), got.slice(head))];
}

function pairRest(sent: readonly TimedEvent[], got: readonly TimedEvent[]): EventPair[] {
  if (sent.length > MOST_ALIGNED || got.length > MOST_ALIGNED) {
    return Array.from({ length: Math.max(sent.length, got.length) }, (_, index) => ({
      sent: sent[index] ?? null,
      got: got[index] ?? null,
    }));
  }
  const common = commonLengths(sent, got);
  const pairs: EventPair[] = [];
  let [i, j] = [0, 0];
  while (i < sent.length || j < got.length) {
    const [one, other] = [sent[i] ?? null, got[j] ?? null];
    if (one !== null && other !== null && same(one, other)) {
      pairs.push({ sent: one, got: other });
      i += 1;
      j += 1;
    } else if (other === null || (one !== null && (common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0))) {
      pairs.push({ sent: one, got: null });
      i += 1;
    } else {
      pairs.push({ sent: null, got: other });
      j += 1;
    }
  }
  return pairs;
}

/** The length of the longest common subsequence from each place on. */
function commonLengths(sent: readonly TimedEvent[], got: readonly TimedEvent[]): readonly Uint16Array[] {
  const table = Array.from({ length: sent.length + 1 }, () => new Uint16Array(got.length + 1));
  for (let i = sent.length - 1; i >= 0; i -= 1) {
    for (let j = got.length - 1; j >= 0; j -= 1) {
      const length = same(sent[i], got[j])
        ? (table[i + 1]?.[j + 1] ?? 0) + 1
        : Math.max(table[i + 1]?.[j] ?? 0, table[i]?.[j + 1] ?? 0);
      const row = table[i];
      if (row !== undefined) row[j] = length;
    }
  }
  return table;
}

export const isEqual = ({ sent, got }: EventPair): boolean =>
  sent !== null && got !== null && same(sent, got);

const same = (a: TimedEvent | undefined, b: TimedEvent | undefined): boolean =>
  a?.type === b?.type && a?.data === b?.data;
