/**
 * The placeholders of scenario strings. `{{NAME}}` or `{{NAME ARGUMENT}}`:
 *
 * - `request_id`, `message_id`, `model` (as asked for), `served_model`, `provider`;
 * - `id N`, `digits N`, `hex N`, `base64 N`: seeded characters (bytes for base64);
 * - `epoch +S` (seconds), `epoch_ms +S`, `rfc3339 +S`, `utc8 +S` (`2025-11-10 15:47:02`, eight hours ahead
 *   of UTC and without a zone, as Z.AI states its resets), `utc8_stamp` (the same as 14 digits): a moment
 *   S seconds from now;
 * - `tokens KIND`: one of the exchange's seeded counts.
 *
 * A JSON string that is nothing but a numeric placeholder becomes a number.
 */
import type { Counts } from './counts.ts';
import type { Seeded } from './seeded.ts';

export interface TemplateContext {
  readonly requestId: string;
  readonly messageId: string;
  readonly provider: string;
  /** Null where the request names none. */
  readonly model: string | null;
  readonly servedModel: string;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly seeded: Seeded;
  readonly counts: Counts;
}

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

const PLACEHOLDER = /\{\{(?<name>\w+)(?: (?<argument>[^}]+))?\}\}/g;

/** Replaces every placeholder. Throws on an unknown one: `loadScenarios` tries them all beforehand. */
export function fill(text: string, context: TemplateContext): string {
  return text.replaceAll(PLACEHOLDER, (_, name: string, argument: string | undefined) =>
    String(valueOf(name, argument ?? '', context)),
  );
}

/** The same for every string of a JSON value. */
export function fillJson(value: Json, context: TemplateContext): Json {
  if (typeof value === 'string') return fillString(value, context);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item) => fillJson(item, context));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillJson(item, context)]));
}

function fillString(text: string, context: TemplateContext): string | number {
  const [only] = text.matchAll(PLACEHOLDER);
  if (only?.[0] !== text) return fill(text, context);
  return valueOf(only.groups?.['name'] ?? '', only.groups?.['argument'] ?? '', context);
}

function valueOf(name: string, argument: string, context: TemplateContext): string | number {
  const { seeded } = context;
  const moment = context.now + Number(argument) * 1000;
  switch (name) {
    case 'request_id':
      return context.requestId;
    case 'message_id':
      return context.messageId;
    case 'model':
      return context.model ?? '';
    case 'served_model':
      return context.servedModel;
    case 'provider':
      return context.provider;
    case 'id':
      return seeded.id(Number(argument));
    case 'digits':
      return seeded.digits(Number(argument));
    case 'hex':
      return seeded.hex(Number(argument));
    case 'base64':
      return seeded.base64(Number(argument));
    case 'epoch':
      return Math.floor(moment / 1000);
    case 'epoch_ms':
      return Math.floor(moment);
    case 'rfc3339':
      return `${new Date(moment).toISOString().slice(0, 19)}Z`;
    case 'utc8':
      return inUtc8(moment);
    case 'utc8_stamp':
      return inUtc8(moment).replaceAll(/\D/g, '');
    case 'tokens':
      return countOf(argument, context.counts);
    default:
      throw new RangeError(`unknown placeholder {{${name}}}`);
  }
}

function inUtc8(epochMs: number): string {
  return new Date(epochMs + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
}

function countOf(kind: string, counts: Counts): number {
  const known = new Map<string, number>(Object.entries(counts));
  const count = known.get(kind);
  if (count === undefined) throw new RangeError(`unknown token count {{tokens ${kind}}}`);
  return count;
}
