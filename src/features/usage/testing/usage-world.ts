/** The endpoints over a store that a test gives, at a time that stands still: what it steers and watches. */
import type { ExchangeObserver, Provider, Route } from '../../../core/types.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { QuotaView } from '../../../protocol/quota-view.ts';
import type { CompletionEvent } from '../../../protocol/usage-event.ts';
import { createUsageEndpoints, type UsageEndpointsOptions } from '../endpoints.ts';
import { createLiveFeed } from '../live-feed.ts';
import type { QuotaViews } from '../quota-views.ts';
import { completion } from './events.ts';

export const NOW = Date.parse('2026-11-02T12:30:00.000Z');
export const HOUR = 3_600_000;

const anth: Provider = {
  id: 'anth',
  lane: 'anthropic',
  origin: 'https://anthropic.test',
  basePath: '',
  auth: { kind: 'client' },
  dropHeaders: [],
  rewriteModel: new Map(),
  h2: true,
  feature: null,
  fallback: [],
};
export const zai: Provider = {
  ...anth,
  id: 'zai',
  lane: 'zai',
  auth: { kind: 'key', headerMode: 'x-api-key', env: 'ZAI_API_KEY', key: 'made-up' },
  fallback: ['anth'],
};

/** A cent a token on the Anthropic lane, nothing known elsewhere. */
export const prices: UsageEndpointsOptions['prices'] = {
  chargeOf({ lane, tokens, uncounted }) {
    const count = Object.values(tokens).reduce((sum, one) => sum + one, 0);
    const isPriced = lane === 'anthropic';
    return {
      tokens: count,
      uncounted,
      nanoUsd: isPriced ? BigInt(count) * 10_000_000n : 0n,
      unpricedTokens: isPriced ? 0 : count,
      unpricedKinds: [],
      atLeast: false,
      saved: null,
      savingUnknown: !isPriced,
    };
  },
  changes: [],
  open() {
    let nano = 0n;
    let [unpriced, silent, partial] = [0, 0, false];
    return {
      add({ nanoUsd, unpricedTokens, uncounted, savingUnknown }) {
        nano += nanoUsd;
        unpriced += unpricedTokens;
        silent += uncounted;
        partial ||= savingUnknown;
      },
      sum: () => ({
        cost_usd: nano === 0n && unpriced > 0 ? null : Number(nano) / 1e9,
        cost_is_at_least: false,
        unpriced_tokens: unpriced,
        unpriced_kinds: [],
        uncounted: silent,
        saved_usd: null,
        saved_is_partial: partial,
      }),
    };
  },
};

const none = { used: 0, cap: null, pct: null };
/** A quota that is used a good deal. */
export const quotaView = (part: Partial<QuotaView> = {}): QuotaView => ({
  model: '*haiku*',
  lane: 'zai',
  idle: null,
  rolling: {
    span_seconds: 18_000,
    tokens: { used: 700, cap: 1000, pct: 70 },
    requests: none,
    hours: none,
    pct: 70,
  },
  weekly: { span_seconds: 604_800, tokens: none, requests: none, hours: none, pct: null },
  rolling_pct: 70,
  weekly_pct: null,
  warn_pct: 80,
  block_pct: 100,
  warn: false,
  block: false,
  reserved: { requests: 1, tokens: 50 },
  eta_seconds: 900,
  headroom_tokens: 300,
  tps_elr: 12,
  tps_dirty: 9,
  peak_hour: { start: NOW - 1_800_000, tokens: 600 },
  fastest_hour: null,
  warn_pct_auto: 72,
  warn_pct_confidence: 0.5,
  gap_seconds_p50: 60,
  gap_seconds_p95: 120,
  gap_samples: 3,
  cooldown_until: NOW,
  provider_limits: {
    lane: 'zai',
    at: NOW,
    status: 'rejected',
    windows: [
      { name: '5h', status: 'rejected', used_pct: 101, limit: null, remaining: null, resets_at: NOW },
    ],
    refused: { at: NOW, kind: 'window', until: null },
  },
  ...part,
});

export const quotaWorld = (part: Partial<QuotaViews> = {}): QuotaViews => ({
  mode: 'block',
  file: null,
  since: NOW,
  refused: null,
  views: () => [],
  cooldowns: () => [],
  endCooldowns: () => [],
  providerLimits: () => [],
  warnings: () => [],
  rebuilding: () => false,
  rebuildTrouble: () => null,
  reload: () => ({ ok: true }),
  ...part,
});

export type WorldStore = UsageEndpointsOptions['store'] & ExchangeObserver;

/** Nothing in it happens by itself. */
export const stillClock: Clock = { now: () => NOW, monotonic: () => NOW, after: () => () => {} };

export function startUsageWorld(store: WorldStore, part: Partial<UsageEndpointsOptions> = {}) {
  const seen: string[] = [];
  const reloads: (string | undefined)[] = [];
  const live = createLiveFeed({ clock: stillClock });
  const completions: CompletionEvent[] = [];
  const journal: ExchangeObserver = {
    onDecision: (event) => void seen.push(`decision ${event.lane}`),
    onAttempt: ({ lane }) => void seen.push(`attempt ${lane}`),
    onCompletion: (event) => {
      seen.push(`completion ${event.lane}`);
      completions.push(event);
    },
  };
  let rids = 0;
  const route = ({ model }: { readonly model: string | null }): Route =>
    model?.includes('haiku') === true
      ? { provider: zai, decision: 'to_zai', alternatives: [anth] }
      : { provider: anth, decision: 'to_anthropic', alternatives: [] };
  const endpoints = createUsageEndpoints({
    store,
    quota: quotaWorld({
      reload(sent) {
        reloads.push(sent && Buffer.from(sent).toString());
        return { ok: true };
      },
    }),
    prices,
    lanes: () => ['anthropic', 'zai', 'none'],
    servedLanes: () => ['anthropic', 'zai'],
    live,
    clock: stillClock,
    ids: { rid: () => `rid-${String((rids += 1)).padStart(6, '0')}` },
    route,
    observers: [journal, store],
    devEnabled: true,
    ...part,
  });
  const call = async (method: 'GET' | 'POST', target: string, body = '') => {
    const url = new URL(target, 'http://ccp');
    const endpoint = endpoints.find((one) => one.method === method && one.path === url.pathname);
    if (endpoint === undefined) throw new Error(`no ${method} ${url.pathname}`);
    return endpoint.handle({ query: url.searchParams, body: Buffer.from(body) });
  };
  const ask = async (method: 'GET' | 'POST', target: string, body?: string) => {
    const answer = await call(method, target, body);
    if (!('body' in answer)) throw new Error('a stream');
    return { status: answer.status, body: JSON.parse(answer.body) as unknown };
  };
  /** An exchange that ended so many milliseconds ago; gives its id. */
  const keep = (ago: number, event: Partial<CompletionEvent> = {}): string => {
    rids += 1;
    const rid = `rid-${String(rids).padStart(6, '0')}`;
    store.onCompletion?.(
      completion({
        rid,
        ts: new Date(NOW - ago).toISOString(),
        ...event,
      }),
    );
    return rid;
  };
  return { endpoints, seen, reloads, live, completions, call, ask, keep };
}
