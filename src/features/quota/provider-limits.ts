/** What upstreams say of their own limits, in the headers of their answers and by refusing. */
import type { LimitHit } from '../../protocol/meter.ts';
import type { ProviderLimits, ProviderWindow } from '../../protocol/quota-view.ts';

const PREFIX = 'anthropic-ratelimit-';
const UNIFIED = 'unified-';
/** More than any upstream has; a flood of them is not kept. */
const MAX_WINDOWS = 16;

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
    if (name.length <= PREFIX.length || !name.toLowerCase().startsWith(PREFIX)) continue;
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
  const counted = limit !== null && limit > 0 && remaining !== null ? 1 - remaining / limit : null;
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

/** Epoch seconds, or RFC 3339. */
function resetOf(text: string | undefined): number | null {
  const seconds = numberOf(text);
  if (seconds !== null) return seconds * 1000;
  const date = Date.parse(text ?? '');
  return Number.isNaN(date) ? null : date;
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

/** The last word of each lane. Lanes are those of the catalogs, so they are few. */
export function createProviderLimits(): ProviderLimitsBook {
  const lanes = new Map<string, ProviderLimits>();
  const before = (lane: string): Pick<ProviderLimits, 'status' | 'windows' | 'refused'> =>
    lanes.get(lane) ?? { status: null, windows: [], refused: null };
  return {
    stated(lane, at, headers) {
      const said = readProviderLimits(headers);
      if (said !== null) lanes.set(lane, { ...before(lane), ...said, lane, at });
    },
    refused: (lane, refused) => void lanes.set(lane, { ...before(lane), lane, at: refused.at, refused }),
    of: (lane) => lanes.get(lane) ?? null,
    all: () => [...lanes.values()],
  };
}
