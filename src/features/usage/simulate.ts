/**
 * Exchanges that never were, for trying quotas and views: routed, recorded and counted like real ones, but for the
 * upstream, which is not asked. Their records say `sim-usage`.
 */
import type { ExchangeObserver, Provider, Route, Router } from '../../core/types.ts';
import { type Clock, rfc3339 } from '../../platform/clock.ts';
import type { Ids } from '../../platform/ids.ts';
import type { CompletionEvent } from '../../protocol/usage-event.ts';
import type { SimBody } from './arguments.ts';
import { SIM_PATH } from './paths.ts';

export interface SimulationPorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly route: Router;
  /** Those of real exchanges, in their order. */
  readonly observers: readonly ExchangeObserver[];
}

const MARK = 'sim-usage';

/** Makes them up, one after the other; gives their ids. */
export function simulate({ clock, ids, route, observers }: SimulationPorts, body: SimBody): string[] {
  return Array.from({ length: body.repeat }, () => {
    const { model } = body;
    const chosen = route({ method: 'POST', path: '/v1/messages', op: 'stream', model });
    const { provider, decision, alternatives } = chosen;
    const rid = ids.rid();
    const common = {
      v: 1 as const,
      ts: rfc3339(clock.now()),
      rid,
      lane: provider.lane,
      provider: provider.id,
      model,
    };
    const decided = {
      ...common,
      event: 'decision' as const,
      op: 'stream' as const,
      decision,
      alternatives: alternatives.map(({ id }) => id),
    };
    for (const observer of observers) observer.onDecision?.(decided);
    const attempt = {
      rid,
      lane: provider.lane,
      provider: provider.id,
      model,
      op: 'stream' as const,
      decision,
    };
    if (chosen.refusal === undefined) for (const observer of observers) observer.onAttempt?.(attempt);
    const completed: CompletionEvent = {
      ...common,
      event: 'completion',
      upstream: MARK,
      method: 'POST',
      path: SIM_PATH,
      op: 'stream',
      decision,
      bytes_in: 0,
      bytes_out: 0,
      client: MARK,
      ...outcomeOf(chosen, body),
    };
    for (const observer of observers) observer.onCompletion?.(completed);
    return rid;
  });
}

type Outcome = Pick<
  CompletionEvent,
  'reason' | 'status' | 'err_type' | 'latency_ms' | 'ttfb_ms' | 'header_mode' | 'attempts' | 'tokens' | 'sse'
>;

function outcomeOf({ provider, refusal }: Route, { in: input, out: output, seconds }: SimBody): Outcome {
  if (refusal !== undefined) {
    const { status, errType } = refusal;
    return { reason: 'blocked', status, err_type: errType, latency_ms: 0, attempts: [] };
  }
  const ms = Math.round(seconds * 1000);
  return {
    reason: 'ok',
    status: 200,
    latency_ms: ms,
    ttfb_ms: 0,
    ...headerModeOf(provider),
    attempts: [{ provider: provider.id, status: 200, ...headerModeOf(provider), ms }],
    tokens: { input, output, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 },
    sse: { events: 0, chunks: 0, bytes: 0, duration_ms: ms, max_gap_ms: 0, finished: true },
  };
}

const headerModeOf = ({ auth }: Provider): Pick<CompletionEvent, 'header_mode'> =>
  auth.kind === 'key' ? { header_mode: auth.headerMode } : {};
