/** What can go wrong with what is kept and counted: the store, its rollups, the bill, the budgets of lanes. */
import type { Sample } from '../../protocol/meter.ts';
import type { HeaderPairs } from '../../protocol/transcript.ts';
import type { MeterAnswers } from '../../protocol/witness.ts';
import type { ExchangeRewriter, Fault, Saboteur } from '../types/saboteur.ts';
import { onAnswers, onLines, record, withHeader, withoutHeader } from './edits.ts';

const rows = (alter: (rows: readonly Sample[]) => readonly Sample[]): Fault => ({
  layer: 'records',
  alter: (told) =>
    told.store.kind === 'read' ? { ...told, store: { ...told.store, rows: alter(told.store.rows) } } : told,
});

const answers = (alter: (meter: MeterAnswers) => Partial<MeterAnswers>): Fault => ({
  layer: 'records',
  alter: (told) => ({
    ...told,
    lives: told.lives.map((life) => {
      const { meter } = life.answers;
      return meter === null
        ? life
        : { ...life, answers: { ...life.answers, meter: { ...meter, ...alter(meter) } } };
    }),
  }),
});

/** Alters the first rollup of hours. */
const firstHour = (alter: (rollup: ReturnType<typeof record>) => object): Fault =>
  answers(({ hour }) => {
    const { rollups } = record(hour);
    const [first, ...rest] = Array.isArray(rollups) ? rollups : [];
    return { hour: { ...record(hour), rollups: [{ ...record(first), ...alter(record(first)) }, ...rest] } };
  });

/** Alters each rollup of hours. */
const everyHour = (alter: (rollup: ReturnType<typeof record>) => object): Fault =>
  answers(({ hour }) => {
    const { rollups } = record(hour);
    const all: readonly unknown[] = Array.isArray(rollups) ? rollups : [];
    return {
      hour: { ...record(hour), rollups: all.map((one) => ({ ...record(one), ...alter(record(one)) })) },
    };
  });

/** Alters the bill of each lane. */
const lanes = (alter: (bill: ReturnType<typeof record>) => object): Fault =>
  answers(({ usage }) => {
    const bills = Object.entries(record(record(usage)['lanes']));
    const altered = bills.map(([lane, bill]) => [lane, { ...record(bill), ...alter(record(bill)) }]);
    return { usage: { ...record(usage), lanes: Object.fromEntries(altered) } };
  });

/** Alters the line of the bill that stands over all others. */
const grandTotal = (alter: (bill: ReturnType<typeof record>) => object): Fault =>
  answers(({ usage }) => {
    const total = record(record(usage)['total']);
    return { usage: { ...record(usage), total: { ...total, ...alter(total) } } };
  });

/** Alters the bill of each model, and not that of its lanes. */
const models = (alter: (bill: ReturnType<typeof record>) => object): Fault =>
  answers(({ usage }) => {
    const bills = Object.entries(record(record(usage)['models']));
    const altered = bills.map(([model, bill]) => [model, { ...record(bill), ...alter(record(bill)) }]);
    return { usage: { ...record(usage), models: Object.fromEntries(altered) } };
  });

/** Alters the headers of what a client is refused with. */
const onStops = (alter: (headers: HeaderPairs) => HeaderPairs): Fault => ({
  layer: 'client',
  rewrite: () =>
    onAnswers((head) =>
      head.status === 429 ? { head: { ...head, headers: alter(head.headers) } } : undefined,
    ),
});

const during = (...stages: readonly string[]) => ({ suite: 'quota', stages }) as const;

/** Eight hours: what is between Z.AI's stamps and UTC. */
const ZONE_MS = 8 * 3_600_000;

export const METER_SABOTEURS: readonly Saboteur[] = [
  {
    name: 'store-row-lost',
    breaks: 'one exchange has no row in the store',
    faults: [rows((all) => all.slice(1))],
    caughtBy: ['STORE-01', 'STORE-02'],
  },
  {
    name: 'store-row-doubled',
    breaks: 'one exchange has two rows in the store',
    faults: [rows((all) => [...all, ...all.slice(0, 1)])],
    caughtBy: ['STORE-01', 'STORE-02'],
  },
  {
    name: 'store-tokens-swapped',
    breaks: 'the store keeps input as output',
    faults: [
      rows((all) =>
        all.map(({ tokens, ...row }) => ({
          ...row,
          tokens: tokens && { ...tokens, input: tokens.output, output: tokens.input },
        })),
      ),
    ],
    caughtBy: ['STORE-01'],
  },
  {
    name: 'store-unwritable',
    breaks: 'the store cannot be written, and the proxy goes on without it',
    faults: [{ layer: 'settings', settings: () => ({ CCP_DB_PATH: '/dev/null/ccp.sqlite3' }) }],
    caughtBy: ['STORE-01'],
  },
  {
    name: 'rollup-drift',
    breaks: 'a rollup counts an exchange twice',
    faults: [firstHour(({ count }) => ({ count: Number(count) + 1 }))],
    caughtBy: ['STORE-02'],
  },
  {
    name: 'percentile-drift',
    breaks: 'a percentile is the mean of percentiles',
    faults: [firstHour(({ latency_p95: ms }) => ({ latency_p95: Number(ms) * 0.9 }))],
    caughtBy: ['STORE-02'],
  },
  {
    name: 'usage-totals-doubled',
    breaks: '/v1/usage counts every request twice',
    faults: [lanes(({ requests }) => ({ requests: Number(requests) * 2 }))],
    caughtBy: ['USAGE-01'],
  },
  {
    name: 'usage-total-doubled',
    breaks: '/v1/usage counts every request twice in its total',
    faults: [grandTotal(({ requests }) => ({ requests: Number(requests) * 2 }))],
    caughtBy: ['USAGE-01'],
  },
  {
    name: 'usage-model-doubled',
    breaks: '/v1/usage counts the requests of a model twice, and not those of its lanes',
    faults: [models(({ requests }) => ({ requests: Number(requests) * 2 }))],
    caughtBy: ['USAGE-01'],
  },
  {
    name: 'cost-lost-in-total',
    breaks: 'the total of the bill costs nothing',
    faults: [grandTotal(() => ({ cost_usd: 0 }))],
    caughtBy: ['USAGE-01'],
  },
  {
    name: 'quota-fill-invented',
    breaks: 'a quota that does not exist is called three quarters full',
    faults: [models(() => ({ rolling_pct: 77 }))],
    caughtBy: ['USAGE-01'],
  },
  {
    name: 'unpriced-as-free',
    breaks: 'tokens whose price nobody knows cost nothing',
    faults: [lanes(() => ({ cost_usd: 0, unpriced_tokens: 0 }))],
    caughtBy: ['USAGE-01'],
  },
  {
    name: 'uncounted-hidden',
    breaks: 'the bill is silent about exchanges of whose tokens nothing is known',
    faults: [lanes(() => ({ uncounted: 0 }))],
    caughtBy: ['USAGE-01'],
  },
  {
    name: 'uncounted-as-free',
    breaks: 'an hour of which the upstream counted nothing looks like one that used nothing',
    faults: [everyHour(() => ({ uncounted: 0 }))],
    caughtBy: ['STORE-02'],
  },
  {
    name: 'quota-never-blocks',
    breaks: 'a budget that is used up blocks nothing',
    faults: [{ layer: 'settings', settings: () => ({ CCP_REROUTE_MODE: 'off' }) }],
    caughtBy: ['QUOTA-01', 'ROUTE-02'],
    during: during('block'),
  },
  {
    name: 'quota-always-blocks',
    breaks: 'a budget blocks although there is room in it',
    faults: [{ layer: 'settings', settings: ({ scantQuotaFile }) => ({ CCP_QUOTAS_FILE: scantQuotaFile }) }],
    caughtBy: ['QUOTA-01', 'ROUTE-02'],
    during: during('block'),
  },
  {
    name: 'quota-block-unsaid',
    breaks: 'what a budget blocked is on record as if it had been meant for Anthropic',
    faults: [
      {
        layer: 'records',
        alter: onLines('completion', (line) =>
          line['decision'] === 'quota_block' ? { ...line, decision: 'to_anthropic' } : line,
        ),
      },
    ],
    caughtBy: ['QUOTA-01'],
    during: during('block'),
  },
  {
    name: 'cooldown-forgotten',
    breaks: 'a lane that stated its limit is asked again at once',
    faults: [{ layer: 'settings', settings: () => ({ CCP_REROUTE_MODE: 'off' }) }],
    caughtBy: ['QUOTA-02'],
    during: during('hybrid'),
  },
  {
    name: 'cooldown-too-long',
    breaks: "Z.AI's stamp is read as UTC: the lane is left alone for eight hours too long",
    faults: [{ layer: 'upstream', provider: 'zai', rewrite: () => onLimits(STAMP, later) }],
    caughtBy: ['QUOTA-02'],
    during: during('hybrid'),
  },
  {
    name: 'budget-overshot',
    breaks: 'of requests that come at once one too many finds room in a budget',
    faults: [{ layer: 'settings', settings: ({ ampleQuotaFile }) => ({ CCP_QUOTAS_FILE: ampleQuotaFile }) }],
    caughtBy: ['QUOTA-01'],
    during: during('hard'),
  },
  {
    name: 'stop-without-time',
    breaks: 'the client is not told when to come back',
    faults: [onStops((headers) => withoutHeader(headers, 'retry-after'))],
    caughtBy: ['QUOTA-03'],
    during: during('hard'),
  },
  {
    name: 'stop-too-short',
    breaks: 'the client is told to come back in a minute',
    faults: [onStops((headers) => withHeader(headers, 'retry-after', '60'))],
    caughtBy: ['QUOTA-03'],
    during: during('hard'),
  },
  {
    name: 'stop-invites-retry',
    breaks: 'the client is not told that it need not retry',
    faults: [onStops((headers) => withoutHeader(headers, 'x-should-retry'))],
    caughtBy: ['QUOTA-03'],
    during: during('hard'),
  },
  {
    name: 'stop-as-throttle',
    breaks: 'a budget that is used up looks like a rate that is too fast',
    faults: [{ layer: 'client', rewrite: () => onLimits(/billing_error/, () => 'rate_limit_error') }],
    caughtBy: ['QUOTA-03'],
    during: during('hard'),
  },
  {
    name: 'reset-time-lost',
    breaks: 'the client is told that the window is used up, and not when it opens again',
    faults: [{ layer: 'client', rewrite: () => onLimits(STAMP, () => 'some other time') }],
    caughtBy: ['LIMIT-01'],
    during: { suite: 'probe-limits', stages: [] },
  },
  {
    name: 'limit-never-met',
    breaks: 'the lane refuses the key, and no window is ever used up',
    faults: [
      {
        layer: 'upstream',
        provider: 'zai',
        rewrite: () => onAnswers((head) => ({ head: { ...head, status: 401, reason: 'Unauthorized' } })),
      },
    ],
    caughtBy: [],
    // A key that is refused says nothing of windows, for or against.
    blinds: ['LIMIT-01'],
    during: { suite: 'probe-limits', stages: [] },
  },
];

/** Alters what each refusal for a limit says. */
const onLimits = (pattern: RegExp, alter: (found: string) => string): ExchangeRewriter =>
  onAnswers((head) =>
    head.status === 429
      ? { piece: (bytes) => [Buffer.from(bytes.toString().replace(pattern, alter), 'utf8')] }
      : undefined,
  );

const STAMP = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/;

const later = (stamp: string): string =>
  new Date(Date.parse(`${stamp.replace(' ', 'T')}Z`) + ZONE_MS).toISOString().slice(0, 19).replace('T', ' ');
