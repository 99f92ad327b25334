/**
 * Token counts as an upstream's answer states them. Counts in `message_delta` are cumulative: a value that
 * is not null replaces what `message_start` said, nothing is ever added up. Z.AI says 0/0 first and the truth last.
 */
import type { Tokens } from '../../protocol/usage-event.ts';
import { isJsonObject, type JsonObject, parseJson } from '../json.ts';
import type { Answer, StreamEvent } from './answer.ts';

/** The counts of an answer; undefined where it states none. */
export function tokensOf(answer: Answer): Tokens | undefined {
  if (answer.kind === 'stream') return fromUsages(answer.events.map(usageOfEvent));
  const isObject = answer.kind === 'whole' && isJsonObject(answer.value);
  return isObject ? fromUsages([answer.value['usage']]) : undefined;
}

function usageOfEvent({ type, data }: StreamEvent): unknown {
  if (type !== 'message_start' && type !== 'message_delta') return undefined;
  const event = parseJson(data);
  if (!isJsonObject(event)) return undefined;
  const holder = type === 'message_start' ? event['message'] : event;
  return isJsonObject(holder) ? holder['usage'] : undefined;
}

function fromUsages(usages: readonly unknown[]): Tokens | undefined {
  const stated = usages.filter(isJsonObject);
  if (stated.length === 0) return undefined;
  const last = (read: (usage: JsonObject) => unknown): number | undefined =>
    stated.map(read).findLast((value): value is number => typeof value === 'number');
  const write = (key: string) =>
    last(({ cache_creation: split }) => (isJsonObject(split) ? split[key] : undefined));

  const fiveMinutes = write('ephemeral_5m_input_tokens');
  const oneHour = write('ephemeral_1h_input_tokens');
  // Without the split by lifetime, a cache write is of the default one, five minutes.
  const unsplit =
    fiveMinutes === undefined && oneHour === undefined
      ? last((usage) => usage['cache_creation_input_tokens'])
      : undefined;
  return {
    input: last((usage) => usage['input_tokens']) ?? 0,
    output: last((usage) => usage['output_tokens']) ?? 0,
    cache_read: last((usage) => usage['cache_read_input_tokens']) ?? 0,
    cache_write_5m: fiveMinutes ?? unsplit ?? 0,
    cache_write_1h: oneHour ?? 0,
  };
}
