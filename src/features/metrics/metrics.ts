/** What Prometheus may scrape at `/metrics`. Names are fixed by the contract, section 8. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ExchangeObserver } from '../../core/types.ts';
import { ANOMALY_KINDS } from '../../protocol/anomaly.ts';
import { isUncounted } from '../../protocol/charged.ts';
import type { StoreNumbers } from '../../protocol/meter.ts';
import type { QuotaFill } from '../../protocol/quota-view.ts';
import { sumOf } from '../../protocol/usage-count.ts';
import type { CompletionEvent, Tokens } from '../../protocol/usage-event.ts';
import { createModelLabels } from './model-labels.ts';

export interface MetricsOptions {
  /** Also measure the process: memory, event loop, garbage collection, open files. On by default. */
  readonly defaultMetrics?: boolean;
  /** What the licence is worth when somebody asks. */
  readonly license: () => LicenseInfo;
  /** The state of the policy pack when somebody asks. */
  readonly policy: () => PolicyInfo;
  /** What the store counted, when somebody asks. */
  readonly store?: () => StoreNumbers;
  /** The quotas, when somebody asks. */
  readonly quotas?: () => readonly QuotaFill[];
  /** Whether the quota file as it is now was refused, when somebody asks. */
  readonly quotaFileRefused?: () => boolean;
}

/** Each is empty where there is none. */
export interface LicenseInfo {
  readonly plan: string;
  readonly kid: string;
  readonly reason: string;
}

export interface PolicyInfo {
  readonly source: string;
  /** Null where none is in effect. */
  readonly version: number | null;
  /** Null where all is well. */
  readonly reason: string | null;
}

export interface Metrics extends ExchangeObserver {
  /** The text exposition format, ready to be sent. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** What the readiness probe last found, by lane; of lanes that are not among them nothing is shown any more. */
  lanesReady(states: ReadonlyMap<string, boolean>): void;
  partialWritten(): void;
  /** Seconds that the store took to roll samples up. */
  rolledUp(seconds: number): void;
}

/** Answers of language models take from milliseconds (cached errors) to the ten minutes of the JSON timeout. */
const DURATION_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600];
const TTFB_BUCKETS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300];
/** From a quiet five minutes to the first round after an import of millions. */
const ROLLUP_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];

/** The default of 10 ms wakes an idle proxy a hundred times a second, 0.4 % of a core. */
const EVENT_LOOP_PRECISION_MS = 100;

/** Gauges that are called like counters, which promtool objects to; the same figures are there by type. */
const MISNAMED = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);

/**
 * Counts exchanges in a registry of its own. prom-client's `inc` and `observe` take 0.2 to 0.4 µs each with
 * labels, 2.7 µs an exchange; its `labels()` children hash the labels all the same and would save nothing.
 */
export function createMetrics({
  defaultMetrics = true,
  license,
  policy,
  store,
  quotas,
  quotaFileRefused,
}: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (defaultMetrics) {
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }

  const requests = new Counter({
    name: 'ccp_requests_total',
    help: 'Exchanges that ended, by the status that the client got and the final routing decision',
    labelNames: ['lane', 'op', 'status', 'decision'],
    registers,
  });
  const duration = new Histogram({
    name: 'ccp_request_duration_seconds',
    help: 'From the request to the end of the answer',
    labelNames: ['lane', 'op'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const ttfb = new Histogram({
    name: 'ccp_ttfb_seconds',
    help: 'From the request to the first byte of the answer',
    labelNames: ['lane', 'op'],
    buckets: TTFB_BUCKETS,
    registers,
  });
  const tokens = new Counter({
    name: 'ccp_tokens_total',
    help: 'Tokens as the upstream counted them',
    labelNames: ['lane', 'model', 'kind'],
    registers,
  });
  const uncounted = new Counter({
    name: 'ccp_uncounted_total',
    help: 'Exchanges that an upstream worked for and of whose tokens nothing is known',
    labelNames: ['lane'],
    registers,
  });
  const inflight = new Gauge({ name: 'ccp_inflight', help: 'Exchanges under way', registers });
  const ready = new Gauge({
    name: 'ccp_lane_ready',
    help: 'Whether the last readiness probe reached every provider of the lane',
    labelNames: ['lane'],
    registers,
  });
  // Asked for when it is scraped: a licence ends without an event.
  registry.registerMetric(
    new Gauge({
      name: 'ccp_license_info',
      help: 'Always 1; the labels say what the licence is worth, and why it does not count where it does not',
      labelNames: ['plan', 'kid', 'reason'],
      registers: [],
      collect() {
        this.reset();
        this.set({ ...license() }, 1);
      },
    }),
  );
  // Asked for when it is scraped: a pack expires without an event.
  registry.registerMetric(
    new Gauge({
      name: 'ccp_policy_info',
      help: 'Always 1; the labels say which policy pack is in effect, and why there is no newer one',
      labelNames: ['source', 'version', 'reason'],
      registers: [],
      collect() {
        const { source, version, reason } = policy();
        this.reset();
        this.set({ source, version: String(version ?? ''), reason: reason ?? '' }, 1);
      },
    }),
  );
  const preferred = new Counter({
    name: 'ccp_preferred_attempt_total',
    help: 'Attempts on a lane that was past its warning, in the mode that runs into the real limit',
    registers,
  });
  const rerouted = new Counter({
    name: 'ccp_rerouted_on_limit_total',
    help: 'Exchanges that another provider took over because of a limit of one before',
    registers,
  });
  const wasted = new Counter({
    name: 'ccp_wasted_retry_seconds_total',
    help: 'Time of the attempts that ended in such a limit',
    registers,
  });
  const partials = new Counter({
    name: 'ccp_partial_writes_total',
    help: 'Partials kept of streams that ended abnormally',
    registers,
  });
  const anomalies = new Counter({
    name: 'ccp_anomalies_total',
    help: 'Lines of anomalies.jsonl by kind',
    labelNames: ['kind'],
    registers,
  });
  // A series that appears only with its first event hides that event from rate().
  for (const kind of ANOMALY_KINDS) anomalies.inc({ kind }, 0);

  const rollups = new Histogram({
    name: 'ccp_rollup_duration_seconds',
    help: 'A round of the store: adding samples up to hours and days, and deleting old ones',
    buckets: ROLLUP_BUCKETS,
    registers,
  });
  if (store !== undefined) registerStore(registry, store);
  if (quotas !== undefined) registerQuotas(registry, quotas);
  if (quotaFileRefused !== undefined) registerRefusal(registry, quotaFileRefused);

  const modelLabel = createModelLabels();
  const countTokens = (lane: string, requested: string | null, counts: Tokens): void => {
    const model = modelLabel(requested);
    for (const [kind, count] of Object.entries(counts)) {
      if (count > 0) tokens.inc({ lane, model, kind }, count);
    }
  };

  return {
    onCompletion(event) {
      const { lane, op, decision } = event;
      requests.inc({ lane, op, status: String(event.status), decision });
      duration.observe({ lane, op }, event.latency_ms / 1000);
      if (event.ttfb_ms !== undefined) ttfb.observe({ lane, op }, event.ttfb_ms / 1000);
      if (event.tokens !== undefined) countTokens(lane, event.model, event.tokens);
      if (wasUncounted(event)) uncounted.inc({ lane });
      if (wasSentOn(event)) rerouted.inc();
    },
    onAttempt({ decision }) {
      if (decision === 'quota_warn_attempt') preferred.inc();
    },
    onLimit({ sentOn, ms }) {
      if (sentOn) wasted.inc(ms / 1000);
    },
    onAnomaly: ({ kind }) => anomalies.inc({ kind }),
    onInflight: (count) => inflight.set(count),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
    lanesReady(states) {
      ready.reset();
      for (const [lane, ok] of states) ready.set({ lane }, ok ? 1 : 0);
    },
    partialWritten: () => partials.inc(),
    rolledUp: (seconds) => rollups.observe(seconds),
  };
}

const wasUncounted = ({ op, status, reason, attempts, tokens }: CompletionEvent): boolean =>
  isUncounted({ op, status, reason, attempts: attempts.length, tokens: sumOf(tokens) });

/** Whether another provider was tried because one had refused for a limit. */
const wasSentOn = ({ attempts }: CompletionEvent): boolean =>
  attempts.some(
    ({ provider, err_type }, at) =>
      err_type === 'limit' && attempts.slice(at + 1).some((later) => later.provider !== provider),
  );

/** The store counts for itself; its figures are asked for when they are scraped. */
function registerStore(registry: Registry, store: () => StoreNumbers): void {
  const counters = [
    ['ccp_store_writes_total', 'Rows committed to the store', 'writes'],
    ['ccp_store_write_errors_total', 'Writes to the store that failed; their rows wait', 'writeErrors'],
    ['ccp_store_dropped_total', 'Rows that the store gave up because too many waited', 'dropped'],
    [
      'ccp_store_begun_anew_total',
      'Files of the store that were damaged, deleted or replaced in use',
      'begunAnew',
    ],
  ] as const;
  for (const [name, help, figure] of counters) {
    registry.registerMetric(
      new Counter({
        name,
        help,
        registers: [],
        collect() {
          this.reset();
          this.inc(store()[figure]);
        },
      }),
    );
  }
  const gauges = [
    ['ccp_store_pending', 'Rows that wait to be committed to the store', 'pending'],
    ['ccp_store_size_bytes', 'The file of the store with its write-ahead log', 'bytes'],
  ] as const;
  for (const [name, help, figure] of gauges) {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(store()[figure]);
        },
      }),
    );
  }
}

/** Windows slide without an event; and no more series than the operator wrote quotas. */
function registerQuotas(registry: Registry, quotas: () => readonly QuotaFill[]): void {
  registry.registerMetric(
    new Gauge({
      name: 'ccp_quota_used_ratio',
      help: 'How full a window of a quota is: 1 is its fullest cap',
      labelNames: ['lane', 'quota', 'window'],
      registers: [],
      collect() {
        this.reset();
        for (const { lane, model, rolling_pct, weekly_pct } of quotas()) {
          if (rolling_pct !== null) this.set({ lane, quota: model, window: 'rolling' }, rolling_pct / 100);
          if (weekly_pct !== null) this.set({ lane, quota: model, window: 'weekly' }, weekly_pct / 100);
        }
      },
    }),
  );
  // A rule cannot compare the ratio with a number: each quota has per cents of its own at which it warns and blocks.
  const states = [
    ['ccp_quota_warning', 'Whether a quota is past its warn_pct, with what is under way', 'warns'],
    ['ccp_quota_blocked', 'Whether a quota turns the next exchange away', 'blocks'],
  ] as const;
  for (const [name, help, state] of states) {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        labelNames: ['lane', 'quota'],
        registers: [],
        collect() {
          this.reset();
          for (const fill of quotas()) this.set({ lane: fill.lane, quota: fill.model }, fill[state] ? 1 : 0);
        },
      }),
    );
  }
}

function registerRefusal(registry: Registry, isRefused: () => boolean): void {
  registry.registerMetric(
    new Gauge({
      name: 'ccp_quota_file_refused',
      help: 'Whether the quota file as it is now has a mistake, so that the quotas before stay',
      registers: [],
      collect() {
        this.set(isRefused() ? 1 : 0);
      },
    }),
  );
}
