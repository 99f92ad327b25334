/** What upstreams say of their own limits, in the headers of their answers and by refusing. */
import type { LimitHit } from '../../protocol/meter.ts';
import type { ProviderLimits, ProviderWindow } from '../../protocol/quota-view.ts';

const PREFIX = 'anthropic-ratelimit-';
const UNIFIED = 'unified-';
/** More than any upstream has; a flood of them is not kept. */
const MAX_WINDOWS = 16;
const YEAR_10000 = Date.UTC(10_000, 0);

/** Words after the name of a window, and what they fill in. */
const FIELDS = ['status', 'utilization', 'reset', 'limit', 'remaining'] as const;
type Field = (typeof FIELDS)[number];

export type Stated = Pick<ProviderLimits, 'status' | 'windows'>;

/**
 * Reads the limits out of the headers of one answer, alternating names and values; null where there are none.
 * Two families (platform.claude.com, "Rate limits", and what subscriptions were seen to get): `…-unified-5h-utilization`
 * with resets in epoch seconds and fractions for per cent, and `…-requests-limit` with resets in RFC 3339.
 */
export function readProviderLimits(headers: readonly string[]): Stated | null {
  let status: string | null = null;
  const windows = new Map<string, Partial<Record<Field, string>>>();
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (!isOfLimits(name)) continue;
    const value = (headers[index + 1] ?? '').slice(0, 64);
    const rest = name.slice(PREFIX.length).toLowerCase();
    if (rest === 'unified-status') status = value;
    else note(windows, rest.startsWith(UNIFIED) ? rest.slice(UNIFIED.length) : rest, value);
  }
  if (status === null && windows.size === 0) return null;
  return { status, windows: [...windows].map(([name, fields]) => windowOf(name, fields)) };
}

/** `5h-utilization` → window `5h`; what has no window, as `overage-disabled-reason`, is not one of ours. */
function note(windows: Map<string, Partial<Record<Field, string>>>, rest: string, value: string): void {
  const field = FIELDS.find((word) => rest.endsWith(`-${word}`));
  const name = field === undefined ? '' : rest.slice(0, -field.length - 1);
  if (field === undefined || !/^[a-z0-9_-]{1,32}$/.test(name)) return;
  const known = windows.get(name);
  if (known !== undefined) known[field] = value;
  else if (windows.size < MAX_WINDOWS) windows.set(name, { [field]: value });
}

function windowOf(name: string, fields: Partial<Record<Field, string>>): ProviderWindow {
  const limit = numberOf(fields.limit);
  const remaining = numberOf(fields.remaining);
  const fraction = numberOf(fields.utilization);
  const counted =
    limit !== null && limit > 0 && remaining !== null ? Math.max(1 - remaining / limit, 0) : null;
  const used = fraction ?? counted;
  return {
    name,
    status: fields.status ?? null,
    used_pct: used === null ? null : Math.round(used * 1000) / 10,
    limit,
    remaining,
    resets_at: resetOf(fields.reset),
  };
}

function numberOf(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : null;
}

/** Epoch seconds, or RFC 3339; null for what no answer could say as a time: a year has four digits. */
function resetOf(text: string | undefined): number | null {
  const seconds = numberOf(text);
  const ms = seconds === null ? Date.parse(text ?? '') : seconds * 1000;
  return ms >= 0 && ms < YEAR_10000 ? ms : null;
}

export interface ProviderLimitsBook {
  /** Takes what an answer said; most say nothing. */
  stated(lane: string, at: number, headers: readonly string[]): void;
  refused(
    lane: string,
    refusal: { readonly at: number; readonly kind: LimitHit['kind']; readonly until: number | null },
  ): void;
  of(lane: string): ProviderLimits | null;
  all(): readonly ProviderLimits[];
}

/**
 * The last word of each lane; lanes are those of the catalogs, so they are few. Headers are read when somebody looks:
 * most answers of a subscription carry a dozen of them.
 */
export function createProviderLimits(): ProviderLimitsBook {
  const lanes = new Map<string, Said>();
  const said = (lane: string): Said => {
    const known = lanes.get(lane) ?? { at: 0, headers: [], refused: null };
    lanes.set(lane, known);
    return known;
  };
  const shown = (lane: string, { at, headers, refused }: Said): ProviderLimits => ({
    lane,
    at,
    status: null,
    windows: [],
    ...readProviderLimits(headers),
    refused,
  });
  return {
    stated(lane, at, headers) {
      if (!speaksOfLimits(headers)) return;
      const last = said(lane);
      last.at = at;
      last.headers = headers;
    },
    refused(lane, refused) {
      const last = said(lane);
      last.at = refused.at;
      last.refused = refused;
    },
    of(lane) {
      const last = lanes.get(lane);
      return last === undefined ? null : shown(lane, last);
    },
    all: () => [...lanes].map(([lane, last]) => shown(lane, last)),
  };
}

interface Said {
  at: number;
  headers: readonly string[];
  refused: ProviderLimits['refused'];
}

function speaksOfLimits(headers: readonly string[]): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    if (isOfLimits(headers[index] ?? '')) return true;
  }
  return false;
}

const isOfLimits = (name: string): boolean =>
  name.length > PREFIX.length && name.slice(0, PREFIX.length).toLowerCase() === PREFIX;
