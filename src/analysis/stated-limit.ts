/** What an upstream says of a limit of its own, read by the judge's own hand from the answer as it was sent. */
import type { Transcript } from '../protocol/transcript.ts';
import { isJsonObject, parseJson } from './json.ts';
import { decodedBody } from './oracle/answer.ts';
import { valueOf } from './wire.ts';

export interface StatedLimit {
  /** Used up for hours or days; anything else is a matter of seconds, of money or of the plan. */
  readonly isWindow: boolean;
  /** Too fast: seconds will do. Money and plans do not come back by waiting. */
  readonly isThrottle: boolean;
  /** Z.AI's own number, where there is one. */
  readonly code: string | null;
  readonly message: string;
  /** Epoch milliseconds; null where it is not stated. */
  readonly resetsAt: number | null;
}

/** Z.AI's codes for a window that is used up (docs.z.ai, "Error codes"). */
const WINDOWS: ReadonlySet<string> = new Set(['1308', '1310', '1316', '1317']);
/** Z.AI's codes for what is over in seconds. */
const THROTTLES: ReadonlySet<string> = new Set(['1302', '1305']);
/** Z.AI's stamps are local to UTC+8 and do not say so. */
const ZAI_OFFSET_MS = 8 * 3_600_000;

/**
 * What an answer means to somebody who looks for a limit with care: go on, wait a little, or send nothing more. The last
 * is whatever is neither a success nor a matter of seconds: a window, money, a wrong key, an error of the other side, none.
 */
export function meaningOf(transcript: Transcript): 'success' | 'throttle' | 'over' {
  const { response, ending } = transcript;
  if (response === undefined || ending !== 'complete') return 'over';
  const limit = limitOf(transcript);
  if (limit !== null) return !limit.isWindow && limit.isThrottle ? 'throttle' : 'over';
  const body = parseJson(decodedBody(transcript)?.toString('utf8') ?? '');
  // Z.AI has put errors under status 200.
  return response.status === 200 && isJsonObject(body) && body['type'] === 'message' ? 'success' : 'over';
}

/** Null where the answer is no 429. */
export function limitOf(transcript: Transcript): StatedLimit | null {
  const { response } = transcript;
  if (response?.status !== 429) return null;
  const text = decodedBody(transcript)?.toString('utf8') ?? '';
  const body = parseJson(text);
  const error = isJsonObject(body) && isJsonObject(body['error']) ? body['error'] : {};
  const code = [error['code'], error['type']].filter((one) => typeof one === 'string').find(isNumber) ?? null;
  return {
    isWindow: (code !== null && WINDOWS.has(code)) || valueOf(response.headers, UNIFIED) === 'rejected',
    isThrottle: code === null ? error['type'] !== 'billing_error' : THROTTLES.has(code),
    code,
    message: typeof error['message'] === 'string' ? error['message'] : text.slice(0, 200),
    resetsAt: resetOf(transcript, text),
  };
}

const isNumber = (text: string): boolean => /^\d+$/.test(text);

/** Anthropic's word for a subscription's window. */
const UNIFIED = 'anthropic-ratelimit-unified-status';

function resetOf({ response, startedAt }: Transcript, text: string): number | null {
  const [, day, time] = /reset at (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/.exec(text) ?? [];
  if (day !== undefined) return Date.parse(`${day}T${time}Z`) - ZAI_OFFSET_MS;
  const stated =
    valueOf(response?.headers ?? [], 'retry-after') ?? /"retry-after":\s*"(\d+)"/.exec(text)?.[1];
  return stated === undefined ? null : startedAt + (response?.headMs ?? 0) + Number(stated) * 1000;
}
