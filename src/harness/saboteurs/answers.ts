/** What can go wrong on the way down: events, endings, pace, status, headers and compression. */
import { gunzipSync } from 'node:zlib';
import type { ExchangeRewriter, Saboteur } from '../types/saboteur.ts';
import type { ProviderId } from '../types/world.ts';
import { isStream, onAnswers, onEvents, type StreamEvent, withHeader, withoutHeader } from './edits.ts';

interface AnswerSaboteur extends Pick<Saboteur, 'name' | 'breaks' | 'caughtBy' | 'scenario' | 'claude'> {
  readonly rewrite: () => ExchangeRewriter;
}

const PING = 'event: ping\ndata: {"type": "ping"}\n\n';
const STOP = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';
const anth = (name: string) => ({ provider: 'anth' as ProviderId, name });

/** Does something to the n-th event of a type and leaves the others alone. */
function onNth(type: string, n: number, alter: (raw: string) => readonly string[]) {
  return () => {
    let count = 0;
    return (event: StreamEvent) => {
      if (event.type !== type) return [event.raw];
      count += 1;
      return count === n ? alter(event.raw) : [event.raw];
    };
  };
}

/** Swaps the first two deltas. */
function swapDeltas() {
  let held: string | undefined;
  let swapped = false;
  return ({ type, raw }: StreamEvent): readonly string[] => {
    if (swapped || type !== 'content_block_delta') return [raw];
    if (held === undefined) {
      held = raw;
      return [];
    }
    swapped = true;
    return [raw, held];
  };
}

const ANSWERS: readonly AnswerSaboteur[] = [
  {
    name: 'stream-buffered',
    breaks: 'a stream is held back and handed out whole at its end',
    rewrite: () =>
      onAnswers((head) => {
        const held: Buffer[] = [];
        return isStream(head)
          ? { piece: (bytes) => (held.push(bytes), []), end: (cut) => ({ pieces: held, clean: !cut }) }
          : undefined;
      }),
    caughtBy: ['STREAM-03'],
    scenario: anth('paced'),
  },
  {
    name: 'ping-swallowed',
    breaks: 'pings do not reach the client',
    rewrite: () =>
      onEvents(
        () =>
          ({ type, raw }) =>
            type === 'ping' ? [] : [raw],
      ),
    caughtBy: ['STREAM-02'],
  },
  {
    name: 'ping-invented',
    breaks: 'the client gets a ping that nobody sent',
    rewrite: () => onEvents(onNth('content_block_start', 1, (raw) => [raw, PING])),
    caughtBy: ['STREAM-02'],
  },
  {
    name: 'event-doubled',
    breaks: 'an event arrives twice',
    rewrite: () => onEvents(onNth('content_block_delta', 1, (raw) => [raw, raw])),
    caughtBy: ['STREAM-02'],
  },
  {
    name: 'event-lost',
    breaks: 'an event does not arrive',
    rewrite: () => onEvents(onNth('content_block_delta', 1, () => [])),
    caughtBy: ['STREAM-02'],
  },
  {
    name: 'events-swapped',
    breaks: 'two events arrive in the wrong order',
    rewrite: () => onEvents(() => swapDeltas()),
    caughtBy: ['STREAM-02'],
    scenario: anth('many-deltas'),
  },
  {
    name: 'characters-torn',
    breaks: 'pieces are decoded one by one, so a character cut between two is lost',
    rewrite: () =>
      onAnswers((head) =>
        isStream(head) ? { piece: (bytes) => [Buffer.from(bytes.toString('utf8'), 'utf8')] } : undefined,
      ),
    caughtBy: ['STREAM-02', 'BYTES-02'],
    scenario: anth('inside-utf8'),
  },
  {
    name: 'reset-as-clean-end',
    breaks: 'a stream that the upstream reset ends for the client as if it were whole',
    rewrite: () =>
      onEvents(
        () =>
          ({ raw }) => [raw],
        () => [],
      ),
    caughtBy: ['STREAM-01'],
    scenario: anth('reset-midbody'),
  },
  {
    name: 'message-stop-synthesised',
    breaks: 'a truncated stream is given a message_stop',
    rewrite: () =>
      onEvents(
        () =>
          ({ raw }) => [raw],
        (seen) => (seen.includes('message_stop') ? [] : [STOP]),
      ),
    caughtBy: ['STREAM-01'],
    scenario: anth('truncated'),
  },
  {
    name: 'client-usage-zeroed',
    breaks: 'the counts in the last message_delta are zero when they reach the client',
    rewrite: () =>
      onEvents(onNth('message_delta', 1, (raw) => [raw.replaceAll(/("\w+_tokens":\s*)\d+/g, '$10')])),
    caughtBy: ['TOKENS-02'],
    // A raw probe counts no tokens.
    claude: 'key',
  },
  {
    name: 'status-changed',
    breaks: 'a 400 reaches the client as 422',
    rewrite: () =>
      onAnswers((head) => (head.status === 400 ? { head: { ...head, status: 422 } } : undefined)),
    caughtBy: ['STATUS-01'],
    scenario: anth('anth-400'),
  },
  {
    name: 'error-body-rewritten',
    breaks: "an error arrives in the proxy's own words, which auto-compaction does not match",
    rewrite: () =>
      onAnswers((head) =>
        head.status < 400
          ? undefined
          : {
              piece: () => [],
              end: () => ({ pieces: [Buffer.from('{"error":"upstream error"}')], clean: true }),
            },
      ),
    caughtBy: ['STATUS-01', 'BYTES-02'],
    scenario: anth('anth-400-prompt-too-long'),
  },
  {
    name: 'retry-after-lost',
    breaks: 'retry-after does not reach the client',
    rewrite: () =>
      onAnswers((head) => ({ head: { ...head, headers: withoutHeader(head.headers, 'retry-after') } })),
    caughtBy: ['STATUS-01'],
    scenario: anth('anth-429-budget'),
  },
  {
    name: 'retry-after-invented',
    breaks: 'every answer tells the client to wait a minute',
    rewrite: () =>
      onAnswers((head) => ({ head: { ...head, headers: withHeader(head.headers, 'retry-after', '60') } })),
    caughtBy: ['STATUS-01'],
  },
  {
    name: 'request-id-lost',
    breaks: 'request-id does not reach the client',
    rewrite: () =>
      onAnswers((head) => ({ head: { ...head, headers: withoutHeader(head.headers, 'request-id') } })),
    caughtBy: ['STATUS-01'],
  },
  {
    name: 'gzip-decoded-header-kept',
    breaks: 'a compressed body is decoded and still announced as gzip',
    rewrite: () =>
      onAnswers((head) => {
        if (
          !head.headers.some(([name, value]) => name.toLowerCase() === 'content-encoding' && value === 'gzip')
        )
          return undefined;
        const held: Buffer[] = [];
        return {
          piece: (bytes) => (held.push(bytes), []),
          end: () => ({ pieces: [gunzipSync(Buffer.concat(held))], clean: true }),
        };
      }),
    caughtBy: ['BYTES-02', 'STREAM-02'],
    scenario: anth('gzip'),
  },
];

export const ANSWER_SABOTEURS: readonly Saboteur[] = ANSWERS.map(({ rewrite, ...saboteur }) => ({
  ...saboteur,
  faults: [{ layer: 'client', rewrite }],
}));
