/** What a correct proxy says of itself in the green run: its endpoints, its commands, its first lines. */
import type { Granularity, Sample } from '../../protocol/meter.ts';
import type { Transcript } from '../../protocol/transcript.ts';
import type { UsageEvent } from '../../protocol/usage-event.ts';
import type { MeterAnswers } from '../../protocol/witness.ts';
import type { ProxyLife } from '../evidence.ts';
import { sampleOf } from '../kept-sample.ts';
import { hasFailed, isUncounted, recount, sumTokens } from '../recount.ts';
import { BEGIN, payloadOf } from './made-exchange.ts';

/** What a proxy says of a path beneath its own at which there is nothing. */
const NOT_HERE = JSON.stringify({
  type: 'error',
  error: { type: 'not_found_error', message: 'ccp: no GET /v1/usage/mistyped here, but GET /v1/usage' },
});

/** What a proxy with a trial says of itself. */
export function onlyLife(counted: string, meter: MeterAnswers): ProxyLife {
  const claim = { ok: true, plan: 'trial', features: ['zai_offload'], reason: null };
  const [kid, expires] = ['uat-1', '2026-01-09T00:00:00.000Z'];
  return {
    stage: 'run',
    startedAt: BEGIN - 1000,
    pid: 1,
    license: { kind: 'trial', expected: { ...claim, kid, expires } },
    quota: null,
    answers: {
      meter,
      beneath: [{ path: '/v1/usage/mistyped', answer: { status: 404, body: NOT_HERE } }],
      readyz: readyz(claim),
      providers: PROVIDERS,
      metrics: `${counted}ccp_license_info{plan="trial",kid="${kid}",reason=""} 1\n`,
      license: { ...claim, kid, expires_at: expires },
    },
    licenseLines: [`ccp: [license] plan=trial features=[zai_offload] kid=${kid} expires=${expires}`],
    ending: null,
  };
}

/** What the endpoints of a correct meter say of these samples. */
export function meterOf(samples: readonly Sample[]): MeterAnswers {
  const rollups = (granularity: Granularity) => ({
    granularity,
    rollups: recount(samples, granularity).map((one) => ({
      ...one,
      start: new Date(one.start).toISOString(),
    })),
  });
  const models = Map.groupBy(samples, ({ model }) => model ?? '(none)');
  return {
    usage: {
      generated_at: new Date(BEGIN + 60_000).toISOString(),
      total: totalsOf(samples),
      models: Object.fromEntries(
        [...models].map(([model, group]) => [
          model,
          { ...totalsOf(group), lanes: lanesOf(group), rolling_pct: null, weekly_pct: null },
        ]),
      ),
      lanes: lanesOf(samples),
    },
    samples: samples.toReversed().map((one) => ({ ...one, ts: new Date(one.ts).toISOString() })),
    hour: rollups('hour'),
    day: rollups('day'),
    quotas: { quotas: [] },
  };
}

const lanesOf = (samples: readonly Sample[]) =>
  Object.fromEntries(
    [...Map.groupBy(samples, ({ lane }) => lane)].map(([lane, group]) => [lane, totalsOf(group)]),
  );

function totalsOf(samples: readonly Sample[]) {
  const tokens = sumTokens(samples);
  const all = Object.values(tokens).reduce((sum, count) => sum + count, 0);
  return {
    requests: samples.length,
    errors: samples.filter(hasFailed).length,
    tokens,
    cost_usd: all === 0 ? null : all / 1e6,
    unpriced_tokens: 0,
    uncounted: samples.filter(isUncounted).length,
  };
}

const PROVIDERS = [
  { id: 'anth', lane: 'anthropic', base_url: 'https://localhost:1' },
  { id: 'zai', lane: 'zai', base_url: 'https://localhost:2/api/anthropic' },
];

const READINESS = { anth: 404, zai: 401 } as const;

function readyz(license: object) {
  const entries = Object.entries(READINESS).map(([id, status]) => [
    id,
    { ok: true, status, reason: 'x', ms: 1 },
  ]);
  return { status: 200, body: { ready: true, providers: Object.fromEntries(entries), license } };
}

/** What its upstreams saw of that. */
export function readinessProbes(): Transcript[] {
  return Object.entries(READINESS).map(([observer, status]) => ({
    id: `u-ready-${observer}`,
    side: 'upstream',
    observer,
    connection: `${observer}-0`,
    http: '1.1',
    startedAt: BEGIN - 900,
    request: { method: 'GET', target: '/', headers: [['host', 'localhost']], body: payloadOf('') },
    response: { status, headers: [], body: payloadOf('{}'), headMs: 1 },
    ending: 'complete',
    endedMs: 2,
  }));
}

/** The exposition that a correct proxy would give for these events. */
export function metricsOf(events: readonly UsageEvent[]): string {
  const completions = events.filter((event) => event.event === 'completion');
  const requests = Map.groupBy(
    completions,
    ({ lane, op, status, decision }) =>
      `ccp_requests_total{lane="${lane}",op="${op}",status="${status}",decision="${decision}"}`,
  );
  const tokens = completions.flatMap(({ lane, model, tokens: counts }) =>
    Object.entries(counts ?? {}).map(([kind, count]) => ({
      series: `ccp_tokens_total{lane="${lane}",model="${model}",kind="${kind}"}`,
      count,
    })),
  );
  const tokenLines = [...Map.groupBy(tokens, ({ series }) => series)].map(
    ([series, counts]) => `${series} ${counts.reduce((sum, { count }) => sum + count, 0)}`,
  );
  const requestLines = [...requests].map(([series, group]) => `${series} ${group.length}`);
  const uncounted = Map.groupBy(
    completions.filter((completion) => isUncounted(sampleOf(completion))),
    ({ lane }) => `ccp_uncounted_total{lane="${lane}"}`,
  );
  const uncountedLines = [...uncounted].map(([series, group]) => `${series} ${group.length}`);
  return [
    '# HELP ccp_requests_total x',
    ...requestLines,
    ...tokenLines,
    ...uncountedLines,
    'ccp_inflight 0',
    '',
  ].join('\n');
}
