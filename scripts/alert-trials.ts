/**
 * For each alert rule of docs/alerts.yml: series that must make it fire, and series that must not, by which `promtool
 * test rules` tries it. Values in Prometheus' notation, a minute apart.
 */
interface Trial {
  /** Each of several by itself; so with what is quiet. */
  readonly fires: Series | readonly Series[];
  readonly quiet: Series | readonly Series[];
}

type Series = Readonly<Record<string, string>>;

const requests = (status: number) => `ccp_requests_total{job="ccp",lane="zai",status="${status}"}`;
const bucket = (le: string) => `ccp_ttfb_seconds_bucket{job="ccp",lane="zai",le="${le}"}`;
/** A quota in mode `block`, by what it does. */
const quota = (does: 'passes' | 'warns' | 'blocks'): Series => ({
  ...steady('ccp_quota_warning{job="ccp",lane="zai",quota="*haiku*"}', does === 'passes' ? 0 : 1),
  ...steady('ccp_quota_blocked{job="ccp",lane="zai",quota="*haiku*"}', does === 'blocks' ? 1 : 0),
});
const license = (reason: string) => `ccp_license_info{job="ccp",reason="${reason}"}`;
/** Minutes after the first sample. */
const startedAt = (minutes: number) => steady('process_start_time_seconds{job="ccp"}', minutes * 60);
const policy = (reason: string) => `ccp_policy_info{job="ccp",source="cache",version="3",reason="${reason}"}`;

/** One series that holds a value, or grows by so much a minute. */
const steady = (series: string, value: number): Series => ({ [series]: `${value}x120` });
const growing = (series: string, step: number): Series => ({ [series]: `0+${step}x120` });

export const TRIALS: Readonly<Record<string, Trial>> = {
  CcpDown: { fires: steady('up{job="ccp"}', 0), quiet: steady('up{job="ccp"}', 1) },
  CcpLaneNotReady: {
    fires: steady('ccp_lane_ready{job="ccp",lane="zai"}', 0),
    quiet: steady('ccp_lane_ready{job="ccp",lane="zai"}', 1),
  },
  CcpFailures: {
    fires: { ...growing(requests(200), 8), ...growing(requests(502), 2) },
    quiet: { ...growing(requests(200), 99), ...growing(requests(502), 1) },
  },
  CcpSlowFirstByte: {
    fires: { ...growing(bucket('60'), 1), ...growing(bucket('120'), 9), ...growing(bucket('+Inf'), 10) },
    quiet: { ...growing(bucket('60'), 10), ...growing(bucket('120'), 10), ...growing(bucket('+Inf'), 10) },
  },
  CcpQuotaNearlyFull: { fires: quota('warns'), quiet: [quota('passes'), quota('blocks')] },
  CcpQuotaFull: { fires: quota('blocks'), quiet: quota('warns') },
  CcpQuotaFileRefused: {
    fires: steady('ccp_quota_file_refused{job="ccp"}', 1),
    quiet: steady('ccp_quota_file_refused{job="ccp"}', 0),
  },
  CcpReroutedOnLimit: {
    fires: growing('ccp_rerouted_on_limit_total{job="ccp"}', 2),
    quiet: growing('ccp_rerouted_on_limit_total{job="ccp"}', 1),
  },
  CcpStoreCannotWrite: {
    fires: growing('ccp_store_write_errors_total{job="ccp"}', 1),
    quiet: steady('ccp_store_write_errors_total{job="ccp"}', 7),
  },
  CcpStoreRowsGivenUp: {
    fires: growing('ccp_store_dropped_total{job="ccp"}', 1),
    quiet: steady('ccp_store_dropped_total{job="ccp"}', 7),
  },
  CcpStoreBegunAnew: {
    fires: [
      growing('ccp_store_begun_anew_total{job="ccp"}', 1),
      // As it stands from the first scrape on, and did before a restart.
      { ...steady('ccp_store_begun_anew_total{job="ccp"}', 1), ...startedAt(100) },
    ],
    quiet: { ...steady('ccp_store_begun_anew_total{job="ccp"}', 7), ...startedAt(0) },
  },
  CcpStoreLarge: {
    fires: steady('ccp_store_size_bytes{job="ccp"}', 9e9),
    quiet: steady('ccp_store_size_bytes{job="ccp"}', 7e9),
  },
  CcpStreamsBreak: {
    fires: growing('ccp_partial_writes_total{job="ccp"}', 1),
    quiet: steady('ccp_partial_writes_total{job="ccp"}', 70),
  },
  CcpAnomalies: {
    fires: growing('ccp_anomalies_total{job="ccp",kind="tap"}', 1),
    quiet: steady('ccp_anomalies_total{job="ccp",kind="tap"}', 70),
  },
  CcpLicenceDoesNotCount: { fires: steady(license('expired'), 1), quiet: steady(license('none'), 1) },
  CcpPolicyNotRefreshed: { fires: steady(policy('dns'), 1), quiet: steady(policy(''), 1) },
  CcpEventLoopSlow: {
    fires: steady('nodejs_eventloop_lag_p99_seconds{job="ccp"}', 0.5),
    quiet: steady('nodejs_eventloop_lag_p99_seconds{job="ccp"}', 0.1),
  },
};

/** What `promtool test rules` reads. @param rulesFile absolute */
export function trialsFile(rulesFile: string): object {
  return {
    rule_files: [rulesFile],
    evaluation_interval: '1m',
    tests: Object.entries(TRIALS).flatMap(([alert, { fires, quiet }]) => [
      ...[fires].flat().map((series) => trialOf(alert, series, [{ labels: '{}', value: 1 }])),
      ...[quiet].flat().map((series) => trialOf(alert, series, [])),
    ]),
  };
}

const trialOf = (alert: string, series: Series, firing: readonly object[]): object => ({
  interval: '1m',
  input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
  promql_expr_test: [
    {
      expr: `count(ALERTS{alertname="${alert}",alertstate="firing"})`,
      eval_time: '110m',
      exp_samples: firing,
    },
  ],
});
