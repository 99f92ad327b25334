/**
 * One view of a log line, whoever wrote it: this program, the predecessor (no `event`, no `v`), or a damaged
 * disk. What a line does not tell is `unknown`; nothing is guessed from other lines.
 */
import type { Tokens } from '../protocol/usage-event.ts';
import { isJsonObject, type JsonObject } from './json.ts';

export const UNKNOWN = 'unknown';

export type LogKind = 'decision' | 'stream_start' | 'completion' | typeof UNKNOWN;

export interface LogView {
  readonly kind: LogKind;
  readonly lane: string;
  readonly model: string;
  readonly op: string;
  readonly decision: string;
  readonly reason: string;
  /** `none` where the line says that there was none. */
  readonly headerMode: string;
  readonly protocol: 'h1' | 'h2' | typeof UNKNOWN;
  readonly status: number | undefined;
  readonly errType: string | undefined;
  /** Milliseconds; undefined where the line has no usable figure. */
  readonly latencyMs: number | undefined;
  readonly ttfbMs: number | undefined;
  readonly tokens: Tokens | undefined;
  readonly sse: JsonObject | undefined;
}

export function viewOf(record: JsonObject): LogView {
  const h2 = record['h2'];
  return {
    kind: kindOf(record),
    lane: word(record['lane']),
    model: word(record['model']),
    op: word(record['op']),
    decision: word(record['decision']),
    reason: word(record['reason']),
    headerMode: headerModeOf(record),
    protocol: h2 === true ? 'h2' : h2 === false ? 'h1' : UNKNOWN,
    status: amount(record['status']),
    errType: typeof record['err_type'] === 'string' ? record['err_type'] : undefined,
    latencyMs: amount(record['latency_ms']),
    ttfbMs: amount(record['ttfb_ms']),
    tokens: tokensOf(record),
    sse: isJsonObject(record['sse']) ? record['sse'] : undefined,
  };
}

/** What kind of line it is, without a view of the rest. */
export function kindOf(record: JsonObject): LogKind {
  const { event } = record;
  if (event === 'decision' || event === 'stream_start' || event === 'completion') return event;
  if (event !== undefined) return UNKNOWN;
  // The predecessor's lines name no event: what has an outcome is a completion, whatever else it holds.
  if (amount(record['status']) !== undefined || amount(record['latency_ms']) !== undefined)
    return 'completion';
  if (record['reason'] === 'streaming') return 'stream_start';
  return typeof record['decision'] === 'string' ? 'decision' : UNKNOWN;
}

/** Absent means none in a line of schema version 1; in an older one it means that nobody looked. */
function headerModeOf({ header_mode: mode, v: version }: JsonObject): string {
  if (typeof mode === 'string' && mode !== '') return mode;
  return mode === null || (mode === undefined && version === 1) ? 'none' : UNKNOWN;
}

/** A label, or `unknown`. */
export const word = (value: unknown): string => (typeof value === 'string' && value !== '' ? value : UNKNOWN);

const amount = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;

function tokensOf(record: JsonObject): Tokens | undefined {
  if (isJsonObject(record['tokens'])) {
    const { input, output, cache_read, cache_write_5m, cache_write_1h } = record['tokens'];
    return counts(input, output, cache_read, cache_write_5m, cache_write_1h);
  }
  // Older lines, like the API itself: at the top or under `usage`, cache writes not told apart by lifetime.
  const usage = isJsonObject(record['usage']) ? record['usage'] : record;
  const { input_tokens: input, output_tokens: output } = usage;
  if (amount(input) === undefined && amount(output) === undefined) return undefined;
  return counts(input, output, usage['cache_read_input_tokens'], usage['cache_creation_input_tokens'], 0);
}

const counts = (
  input: unknown,
  output: unknown,
  read: unknown,
  write5m: unknown,
  write1h: unknown,
): Tokens => ({
  input: amount(input) ?? 0,
  output: amount(output) ?? 0,
  cache_read: amount(read) ?? 0,
  cache_write_5m: amount(write5m) ?? 0,
  cache_write_1h: amount(write1h) ?? 0,
});
