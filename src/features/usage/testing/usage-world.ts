/** The endpoints over a store in memory, at a time that stands still: what a test of them steers and watches. */
import type { ExchangeObserver, Provider, Route } from '../../../core/types.ts';
import type { CompletionEvent } from '../../../protocol/usage-event.ts';
import { createUsageEndpoints, type UsageEndpointsOptions } from '../endpoints.ts';
import { createLiveFeed } from '../live-feed.ts';
import type { QuotaViews } from '../quota-views.ts';
import { completion } from './events.ts';
import { createMemoryStore } from './memory-store.ts';

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
const prices: UsageEndpointsOptions['prices'] = {
  open() {
    let [cents, unpriced] = [0, 0];
    return {
      add({ lane, tokens }) {
        const count = Object.values(tokens).reduce((sum, one) => sum + one, 0);
        if (lane === 'anthropic') cents += count;
        else unpriced += count;
      },
      sum: () => ({
        cost_usd: cents === 0 && unpriced > 0 ? null : cents / 100,
        cost_is_at_least: false,
        unpriced_tokens: unpriced,
        saved_usd: null,
      }),
    };
  },
};

export const quotaWorld = (part: Partial<QuotaViews> = {}): QuotaViews => ({
  mode: 'block',
  file: null,
  views: () => [],
  cooldowns: () => [],
  endCooldowns: () => [],
  providerLimits: () => [],
  rebuilding: () => false,
  reload: () => ({ ok: true }),
  ...part,
});

export function startUsageWorld(part: Partial<UsageEndpointsOptions> = {}) {
  const store = createMemoryStore();
  const seen: string[] = [];
  const reloads: (string | undefined)[] = [];
  const clock = { now: () => NOW, monotonic: () => NOW, after: () => () => {} };
  const live = createLiveFeed({ clock });
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
      reload(text) {
        reloads.push(text);
        return { ok: true };
      },
    }),
    prices,
    live,
    clock,
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
  const keep = (ago: number, event: Partial<CompletionEvent> = {}): void => {
    rids += 1;
    store.onCompletion?.(
      completion({
        rid: `rid-${String(rids).padStart(6, '0')}`,
        ts: new Date(NOW - ago).toISOString(),
        ...event,
      }),
    );
  };
  return { endpoints, store, seen, reloads, live, completions, call, ask, keep };
}
