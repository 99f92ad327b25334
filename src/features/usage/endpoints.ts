/** The meter's endpoints: what was used, how full the quotas are, what it cost, and what happens now. */
import type { Endpoint, EndpointAnswer, EndpointRequest, EndpointStream } from '../../core/types.ts';
import { OperatorError } from '../../errors.ts';
import { rfc3339 } from '../../platform/clock.ts';
import { errorBody } from '../../protocol/error-body.ts';
import { parseJson } from '../../protocol/json.ts';
import type { Diversions, MeterStore } from '../../protocol/meter.ts';
import type { Prices } from '../../protocol/money.ts';
import { type Moment, settle } from '../../protocol/point-in-time.ts';
import type { DiversionsAnswer, StoreState, UsageAnswer } from './answers.ts';
import {
  endBody,
  type Judged,
  noQuery,
  readBody,
  readQuery,
  refuse,
  rollupsQuery,
  samplesQuery,
  simBody,
  USUAL_PAGE,
  usageQuery,
} from './arguments.ts';
import { keyTrouble } from './cooldown-key.ts';
import type { LiveFeed } from './live-feed.ts';
import * as paths from './paths.ts';
import { cooldownAnswer, type QuotaViews, quotasReport } from './quota-views.ts';
import { type SimulationPorts, simulate } from './simulate.ts';
import { type ReportInput, usageReport } from './usage-report.ts';

export interface UsageEndpointsOptions extends SimulationPorts {
  readonly store: MeterStore & { health(): StoreState };
  readonly quota: QuotaViews;
  readonly prices: Prices;
  /** The lanes that are known now, whether used or not. */
  readonly lanes: () => readonly string[];
  /** Those of them that lead to a provider. */
  readonly servedLanes: () => readonly string[];
  readonly live: LiveFeed;
  /** Whether exchanges may be made up. */
  readonly devEnabled: boolean;
}

const HOUR_MS = 3_600_000;
/** 4 MB of an answer. */
const MOST_ROLLUPS = 10_000;
/** About 10 MB of memory. However long the time: only names that clients invent make so many. */
const MOST_SUMS = 10_000;
/** More nobody reads, and names that clients invent make as many as there are exchanges. */
const MOST_DIVERSIONS = 100;
const USUAL_RANGE: Moment = { ago: 24 * HOUR_MS };

/** Endpoints for the gateway, which guards them, and checks the bearer of every POST before it calls one. */
export function createUsageEndpoints(options: UsageEndpointsOptions): readonly Endpoint[] {
  const { store, quota, prices, lanes, live, clock, devEnabled } = options;

  /** A lane that there is not and never was is a mistake, which an empty answer would hide. */
  const refuseStranger = async (
    lane: string | undefined,
    known = lanes(),
  ): Promise<EndpointAnswer | null> => {
    if (lane === undefined || known.includes(lane) || (await store.knowsLane(lane))) return null;
    const allowed = [...new Set(known)].toSorted().join(', ');
    return refuse(`lane: allowed is ${allowed}, or one under which something was counted`).answer;
  };

  const quotas = (): EndpointAnswer => json(quotasReport(quota, clock.now()));

  return [
    {
      method: 'GET',
      path: paths.USAGE_PATH,
      async handle({ query }) {
        const now = clock.now();
        const asked = readHours(query, now);
        if (!asked.ok) return asked.answer;
        const { since, until } = asked.value;
        return unlessRefused(async () => {
          const spans = await store.spans({ since, until, cuts: prices.changes, limit: MOST_SUMS });
          const views = quota.views();
          const askHours: ReportInput['askHours'] = (models) => store.hoursOf({ models, since, until });
          const report = await usageReport({ spans, askHours, views, prices, since, until, now });
          // Asked afterwards: a question that fails is a trouble, too.
          const { ok, reason, remedy, path, pending } = store.health();
          return json({ ...report, store: { ok, reason, remedy, path, pending } } satisfies UsageAnswer);
        });
      },
    },
    {
      method: 'GET',
      path: paths.SAMPLES_PATH,
      async handle({ query }) {
        const asked = readQuery(samplesQuery, query);
        if (!asked.ok) return asked.answer;
        const { since, until, limit = USUAL_PAGE, ...rest } = asked.value;
        const range = settled({ since, until }, clock.now());
        const refused = refuseReversed(range) ?? (await refuseStranger(rest.lane));
        if (refused !== null) return refused;
        const wanted = { ...rest, limit, ...range };
        return unlessRefused(async () => {
          const { samples, next_cursor } = await store.samples(wanted);
          return json({ samples: samples.map((one) => ({ ...one, ts: rfc3339(one.ts) })), next_cursor });
        });
      },
    },
    {
      method: 'GET',
      path: paths.DIVERSIONS_PATH,
      async handle({ query }) {
        const asked = readHours(query, clock.now());
        if (!asked.ok) return asked.answer;
        const found = await store.diversions({ ...asked.value, limit: MOST_DIVERSIONS });
        return json(diversionsReport(asked.value, found));
      },
    },
    {
      method: 'GET',
      path: paths.ROLLUPS_PATH,
      async handle({ query }) {
        const asked = readQuery(rollupsQuery, query);
        if (!asked.ok) return asked.answer;
        const { since, until, ...rest } = asked.value;
        const range = settled({ since, until }, clock.now());
        const refused = refuseReversed(range) ?? (await refuseStranger(rest.lane));
        if (refused !== null) return refused;
        const wanted = { ...rest, ...range, limit: MOST_ROLLUPS };
        return unlessRefused(async () => {
          const found = await store.rollups(wanted);
          const rollups = found.map((rollup) => ({ ...rollup, start: rfc3339(rollup.start) }));
          return json({ granularity: rest.granularity, rollups });
        });
      },
    },
    {
      method: 'GET',
      path: paths.LIVE_PATH,
      handle: ({ query }) => {
        const asked = readQuery(noQuery, query);
        return asked.ok ? (live.open() ?? TOO_MANY) : asked.answer;
      },
    },
    {
      method: 'GET',
      path: paths.QUOTAS_PATH,
      handle: ({ query }) => {
        const asked = readQuery(noQuery, query);
        return asked.ok ? quotas() : asked.answer;
      },
    },
    {
      method: 'POST',
      path: paths.RELOAD_PATH,
      handle({ body }) {
        const taken = quota.reload(body.length === 0 ? undefined : body);
        return taken.ok ? quotas() : refuse(`not taken over, the quotas before stay: ${taken.why}`).answer;
      },
    },
    {
      method: 'POST',
      path: paths.END_COOLDOWN_PATH,
      async handle({ body }) {
        const asked = readBody(endBody, body.length === 0 ? {} : parseJson(body.toString('utf8')));
        if (!asked.ok) return asked.answer;
        const ended = quota.endCooldowns(asked.value).map(cooldownAnswer);
        // That nothing is left alone is no mistake: who ends a cooldown need not know whether it still holds.
        if (ended.length > 0) return json({ ended });
        const stranger = await refuseStranger(asked.value.lane, options.servedLanes());
        if (stranger !== null) return stranger;
        const trouble = keyTrouble(asked.value, quota.views());
        return trouble === null ? json({ ended }) : refuse(trouble).answer;
      },
    },
    {
      method: 'POST',
      path: paths.SIM_PATH,
      handle: (request) => (devEnabled ? made(request, options) : NOT_ENABLED),
    },
  ];
}

interface Hours {
  readonly since: number;
  readonly until: number;
}

/** Whole hours are what is kept for ever: those in which `since` and `until` lie count. */
function readHours(query: URLSearchParams, now: number): Judged<Hours> {
  const asked = readQuery(usageQuery, query);
  if (!asked.ok) return asked;
  const { since: from = USUAL_RANGE, until: to } = asked.value;
  const first = settle(from, now);
  const end = to === undefined ? undefined : settle(to, now);
  const reversed = refuseReversed({ since: first, until: end }, asked.value.since === undefined);
  if (reversed !== null) return { ok: false, answer: reversed };
  const since = Math.floor(first / HOUR_MS) * HOUR_MS;
  return { ok: true, value: { since, until: end === undefined ? now : Math.ceil(end / HOUR_MS) * HOUR_MS } };
}

const diversionsReport = ({ since, until }: Hours, found: Diversions): DiversionsAnswer => ({
  ...found,
  since: rfc3339(since),
  until: rfc3339(until),
  oldest: found.oldest === null ? null : rfc3339(found.oldest),
  diversions: [...found.diversions],
});

/** What a cursor is, and how many rollups or sums are too many, only the store knows. */
async function unlessRefused(answer: () => Promise<EndpointAnswer>): Promise<EndpointAnswer> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof OperatorError) || error.code !== 'USAGE') throw error;
    const { message, hint } = error;
    return refuse(hint === undefined ? message : `${message}. ${hint}`).answer;
  }
}

function made({ body }: EndpointRequest, ports: SimulationPorts): EndpointAnswer {
  const asked = readBody(simBody, parseJson(body.toString('utf8')));
  return asked.ok ? json({ rids: simulate(ports, asked.value) }) : asked.answer;
}

/** Epoch milliseconds of those ends of a range that were named. */
function settled(
  { since, until }: { readonly since: Moment | undefined; readonly until: Moment | undefined },
  now: number,
): { since?: number; until?: number } {
  return {
    ...(since !== undefined && { since: settle(since, now) }),
    ...(until !== undefined && { until: settle(until, now) }),
  };
}

/** Nothing ends before it begins: most likely the two were mixed up, which zeros would hide. */
function refuseReversed(
  { since, until }: { readonly since?: number | undefined; readonly until?: number | undefined },
  isUsual = false,
): EndpointAnswer | null {
  if (since === undefined || until === undefined || until >= since) return null;
  const which = isUsual ? 'since, which is 24 hours ago where it is left out' : 'since';
  return refuse(`until: allowed is a time that is not before ${which} (${rfc3339(since)})`).answer;
}

const JSON_TYPE = 'application/json';

const json = (value: object): EndpointAnswer => ({
  status: 200,
  contentType: JSON_TYPE,
  body: `${JSON.stringify(value)}\n`,
});

const TOO_MANY: EndpointAnswer | EndpointStream = {
  status: 429,
  contentType: JSON_TYPE,
  body: errorBody('rate_limit_error', 'ccp: too many read the live feed already'),
};

const NOT_ENABLED: EndpointAnswer = {
  status: 404,
  contentType: JSON_TYPE,
  body: errorBody('not_found_error', 'ccp: no POST /v1/dev/sim-usage here: CCP_DEV_ENABLE is not 1'),
};
