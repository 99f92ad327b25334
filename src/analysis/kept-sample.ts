/**
 * What a store must keep of a completion (contract, section 8), derived by the judge's own hand: the code that keeps it
 * can't vouch for what it keeps.
 */
import type { Sample } from '../protocol/meter.ts';
import type { CompletionEvent } from '../protocol/usage-event.ts';

/** The sample of a completion; what the line does not tell is null. */
export function sampleOf(completion: CompletionEvent): Sample {
  const { rid, lane, provider, model, op, decision, reason, status, bytes_in, bytes_out } = completion;
  return {
    rid,
    ts: Date.parse(completion.ts),
    lane,
    provider,
    model,
    served_model: completion.served_model ?? null,
    op,
    decision,
    reason,
    status,
    err_type: completion.err_type ?? null,
    latency_ms: completion.latency_ms,
    ttfb_ms: completion.ttfb_ms ?? null,
    stream_ms: completion.sse?.duration_ms ?? null,
    tokens: completion.tokens ?? null,
    bytes_in,
    bytes_out,
    attempts: completion.attempts.length,
    h2: completion.h2 ?? null,
    header_mode: completion.header_mode ?? null,
  };
}

export interface Difference {
  readonly field: string;
  readonly expected: string;
  readonly seen: string;
}

/** The fields in which a record is not the sample that it is to be; a field too many is one, too. */
export function differences(expected: Sample, seen: object): Difference[] {
  const [wanted, given] = [Object.entries(expected), new Map(Object.entries(seen))];
  const strangers = [...given.keys()].filter((field) => !Object.hasOwn(expected, field));
  return [
    ...wanted.map(([field, value]) => ({ field, expected: show(value), seen: show(given.get(field)) })),
    ...strangers.map((field) => ({ field, expected: 'no such field', seen: show(given.get(field)) })),
  ].filter(({ expected: one, seen: other }) => one !== other);
}

/** In order of key, so that what is equal reads the same. */
function show(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return JSON.stringify(value, Object.keys(value).toSorted());
}
