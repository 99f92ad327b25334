import { type ErrorFacts, readErrorBody } from '../../protocol/error-body.ts';
import { isRecord, type JsonRecord, parseJson } from '../../protocol/json.ts';
import {
  isMessageEventType,
  MESSAGE_EVENT_TYPES,
  type MessageEventType,
} from '../../protocol/message-events.ts';
import { createSseScanner, encodeNames } from '../../protocol/sse-scan.ts';
import { mergeUsage } from '../../protocol/usage-count.ts';
import type { Tokens } from '../../protocol/usage-event.ts';
import { type AnswerReader, type AnswerReaderOptions, MAX_READ_BYTES } from './answer-reader.ts';

const NAMES = encodeNames(MESSAGE_EVENT_TYPES);

/** How many different unknown names are worth naming, and how much of each. */
const UNKNOWN_NAMES = 16;
const UNKNOWN_NAME_LENGTH = 64;

/** The type that most events state first; looking for it saves parsing events that have no `event:` line. */
const LEADING_TYPE = /^\s*\{\s*"type"\s*:\s*"([^"\\]*)"/;

/** Counts the events of a message stream and reads the few that carry usage, a model or an error. */
export function createStreamAnswer({ countsTokens, onGiveUp }: AnswerReaderOptions): AnswerReader {
  const unknownEvents = new Set<string>();
  let events = 0;
  let stage: 'before' | 'under way' | 'stopped' = 'before';
  let tokens: Tokens | undefined;
  let servedModel: string | undefined;
  let error: ErrorFacts | undefined;
  let violation: string | undefined;

  const scanner = createSseScanner({
    names: NAMES,
    maxEventBytes: MAX_READ_BYTES,
    onEvent(name, data) {
      events++;
      const type = name ?? statedType(data());
      if (!isMessageEventType(type)) {
        if (unknownEvents.size < UNKNOWN_NAMES) unknownEvents.add(type.slice(0, UNKNOWN_NAME_LENGTH));
        return;
      }
      checkOrder(type);
      if (type === 'message_start') takeStart(read(type, data));
      else if (type === 'message_delta') takeUsage(read(type, data)['usage']);
      else if (type === 'error') error ??= readErrorBody(read(type, data)) ?? { type, message: '' };
      else if (type === 'message_stop') stage = 'stopped';
    },
    onOversize: () => onGiveUp(`an event of more than ${MAX_READ_BYTES} bytes`),
  });

  const checkOrder = (type: MessageEventType): void => {
    if (type === 'ping' || type === 'error') return;
    if (type === 'message_start' && stage === 'under way') violation ??= 'a second message_start';
    if (type !== 'message_start' && stage === 'before') violation ??= `${type} before message_start`;
    if (stage === 'stopped') violation ??= `${type} after message_stop`;
  };

  const read = (type: MessageEventType, data: () => string): JsonRecord => {
    const value = parseJson(data());
    if (isRecord(value)) return value;
    violation ??= `${type} carries no JSON object`;
    return {};
  };

  const takeStart = ({ message }: JsonRecord): void => {
    stage = 'under way';
    if (!isRecord(message)) return;
    if (typeof message['model'] === 'string') servedModel = message['model'];
    takeUsage(message['usage']);
  };

  const takeUsage = (usage: unknown): void => {
    if (countsTokens) tokens = mergeUsage(tokens, usage);
  };

  return {
    feed: (piece) => scanner.feed(piece),
    result: () => ({
      sse: { events, finished: stage === 'stopped' || error !== undefined },
      unknownEvents: [...unknownEvents],
      ...(tokens !== undefined && { tokens }),
      ...(servedModel !== undefined && { servedModel }),
      ...(error !== undefined && { error }),
      ...(violation !== undefined && { violation }),
    }),
  };
}

/** The type of an event without a name: what its data states, else the one that the specification gives it. */
function statedType(data: string): string {
  const leading = LEADING_TYPE.exec(data)?.[1];
  if (leading !== undefined) return leading;
  const value = parseJson(data);
  return isRecord(value) && typeof value['type'] === 'string' ? value['type'] : 'message';
}
