import { describe, expect, it } from 'vitest';
import type { Sample } from '../../protocol/meter.ts';
import type { Evidence } from '../evidence.ts';
import { sampleOf } from '../kept-sample.ts';
import { greenExchanges, silentHaiku } from '../testing/green-exchanges.ts';
import { completionIn, greenRun, lifeIn, type Mutable, runOf, verdictOf } from '../testing/green-run.ts';

type Alter = (evidence: Mutable<Evidence>) => unknown;

function rowsIn({ store }: Mutable<Evidence>): Mutable<Sample>[] {
  if (store.kind !== 'read') throw new Error('the green run has a store');
  return store.rows;
}

function rowIn(evidence: Mutable<Evidence>, rid: string): Mutable<Sample> {
  const row = rowsIn(evidence).find((one) => one.rid === rid);
  if (row === undefined) throw new Error(`no row ${rid}`);
  return row;
}

function meterIn(evidence: Mutable<Evidence>) {
  const { meter } = lifeIn(evidence).answers;
  if (meter === null) throw new Error('the green run has a meter');
  return meter;
}

/** Any document of the meter, as something that can be altered. */
// oxlint-disable-next-line no-explicit-any -- what is broken here has no type
const loose = (document: unknown): any => document;

const whatOf = (id: string, alter: Alter) => verdictOf(id, alter).violations.map(({ what }) => what);

describe('STORE-01', () => {
  it('holds where each completion has its row, field by field, in the file and over HTTP', () => {
    expect(verdictOf('STORE-01')).toMatchObject({ outcome: 'pass', observed: 7 });
  });

  it.each<[string, Alter, string]>([
    ['a row is missing', (run) => rowsIn(run).splice(2, 1), 'ccp.sqlite3 holds the exchange 0 times'],
    [
      'a row is there twice',
      (run) => rowsIn(run).push(rowIn(run, 'sonnet-json')),
      'ccp.sqlite3 holds the exchange 2 times',
    ],
    [
      'a row has no completion',
      (run) => rowsIn(run).push({ ...rowIn(run, 'head'), rid: 'nobody' }),
      'ccp.sqlite3 holds an exchange of which the log has no completion',
    ],
    [
      'the API tells of one sample less',
      (run) => loose(meterIn(run).samples).pop(),
      '/v1/usage/samples holds the exchange 0 times',
    ],
    [
      'the API tells another time',
      (run) => Object.assign(loose(meterIn(run).samples[0]), { ts: '2026-01-02T03:04:05.000Z' }),
      '/v1/usage/samples: ts is not what the log says',
    ],
    [
      'a row has a field that no sample has',
      (run) => Object.assign(rowIn(run, 'head'), { prompt: 'x' }),
      'ccp.sqlite3: prompt is not what the log says',
    ],
  ])('fails where %s', (_name, alter, what) => {
    expect(verdictOf('STORE-01', alter).outcome).toBe('fail');
    expect(whatOf('STORE-01', alter)).toEqual([what]);
  });

  it('compares every field of a row with the log', () => {
    const sample = sampleOf(completionIn(greenRun(), 'haiku-stream'));
    for (const field of Object.keys(sample).filter((name) => name !== 'rid')) {
      const alter: Alter = (run) => Object.assign(rowIn(run, 'haiku-stream'), { [field]: 'broken' });
      expect(whatOf('STORE-01', alter)).toEqual([`ccp.sqlite3: ${field} is not what the log says`]);
    }
  });

  it('fails where there is to be a store and it cannot be read, and is skipped where there need be none', () => {
    const unreadable: Alter = (run) =>
      Object.assign(run, { store: { kind: 'unreadable', problem: 'there is no file' } });
    for (const id of ['STORE-01', 'STORE-02']) {
      expect(whatOf(id, unreadable)).toEqual(['the store cannot be read: there is no file']);
      const none: Alter = (run) => Object.assign(run, { store: { kind: 'none', why: 'CCP_PERSIST=0' } });
      expect(verdictOf(id, none)).toMatchObject({ outcome: 'skipped', note: 'CCP_PERSIST=0' });
    }
    expect(verdictOf('USAGE-01', unreadable).outcome).toBe('pass');
  });
});

describe('STORE-02', () => {
  const firstHour = (run: Mutable<Evidence>) => loose(meterIn(run).hour).rollups[0];

  it('holds where hours and days are what the rows add up to', () => {
    expect(verdictOf('STORE-02')).toMatchObject({ outcome: 'pass', observed: 8 });
  });

  it.each<[string, Alter, RegExp]>([
    ['a count is one too high', (run) => (firstHour(run).count += 1), /\(count: 1, 2\)/],
    ['an error is not counted', (run) => breakErrors(run), /\(errors: 1, 0\)/],
    ['tokens are lost', (run) => (firstHour(run).tokens.cache_read = 0), /\(tokens\.cache_read: 5, 0\)/],
    ['times are added up wrongly', (run) => (firstHour(run).duration_ms += 1), /\(duration_ms: /],
    ['a percentile is 3 % off', (run) => (firstHour(run).latency_p95 *= 1.03), /\(latency_p95: /],
    ['a percentile is not told', (run) => (firstHour(run).ttfb_p50 = 'none'), /\(ttfb_p50: /],
    ['an hour is not told of', (run) => loose(meterIn(run).hour).rollups.pop(), /is not told of/],
    [
      'an hour is told twice',
      (run) => loose(meterIn(run).hour).rollups.push(firstHour(run)),
      /is told twice/,
    ],
    ['an hour has no row', (run) => (firstHour(run).start = '2026-01-02T02:00:00.000Z'), /has no row/],
    ['days are not told', (run) => (loose(meterIn(run)).day = null), /granularity=day: .* is not told of/],
  ])('fails where %s', (_name, alter, what) => {
    expect(verdictOf('STORE-02', alter).outcome).toBe('fail');
    expect(whatOf('STORE-02', alter).join('\n')).toMatch(what);
  });

  it('takes a percentile that is 1.9 % off', () => {
    const nearly: Alter = (run) => (firstHour(run).latency_p95 *= 1.019);
    expect(verdictOf('STORE-02', nearly).outcome).toBe('pass');
  });

  function breakErrors(run: Mutable<Evidence>): void {
    const failing = loose(meterIn(run).hour).rollups.find((one: { errors: number }) => one.errors > 0);
    failing.errors -= 1;
  }
});

describe('USAGE-01', () => {
  it('holds where the bill is what the log adds up to', () => {
    expect(verdictOf('USAGE-01')).toMatchObject({ outcome: 'pass', observed: 11 });
  });

  const model = (run: Mutable<Evidence>) => loose(meterIn(run).usage).models['claude-sonnet-5'];
  const total = (run: Mutable<Evidence>) => loose(meterIn(run).usage).total;
  const lane = (run: Mutable<Evidence>) => loose(meterIn(run).usage).lanes.zai;

  it.each<[string, Alter, string]>([
    [
      'a request is counted twice',
      (run) => (lane(run).requests += 1),
      'lanes.zai.requests is not what the log says',
    ],
    ['an error is invented', (run) => (lane(run).errors += 1), 'lanes.zai.errors is not what the log says'],
    [
      'tokens are counted twice',
      (run) => (lane(run).tokens.output *= 2),
      'lanes.zai.tokens.output is not what the log says',
    ],
    [
      'a lane is left out',
      (run) => delete loose(meterIn(run).usage).lanes.zai,
      '/v1/usage does not tell of zai',
    ],
    [
      'what has no price is called free',
      (run) => (lane(run).cost_usd = 0),
      'lanes.zai used tokens that cost nothing',
    ],
    [
      'what has no price is told as a sum of nothing',
      (run) => Object.assign(lane(run), { cost_usd: 0, unpriced_tokens: 51 }),
      'lanes.zai used tokens that cost nothing',
    ],
    [
      'the total counts twice',
      (run) => (total(run).requests *= 2),
      'total.requests is not what the log says',
    ],
    [
      'a model as a whole counts something else than its lanes',
      (run) => (model(run).requests = 12_345),
      'models.claude-sonnet-5.requests is not what the log says',
    ],
    [
      'a model on a lane counts something else',
      (run) => (model(run).lanes.anthropic.tokens.input += 1),
      'models.claude-sonnet-5.lanes.anthropic.tokens.input is not what the log says',
    ],
    [
      'a model is left out',
      (run) => delete loose(meterIn(run).usage).models['claude-sonnet-5'],
      '/v1/usage does not tell of claude-sonnet-5',
    ],
    [
      'a lane of a model is left out',
      (run) => Object.assign(model(run), { lanes: {}, cost_usd: null, unpriced_tokens: 0 }),
      'models.claude-sonnet-5 does not tell of anthropic',
    ],
    [
      'the total costs something else than its lanes',
      (run) => (total(run).cost_usd += 0.001),
      'total.cost_usd is not the sum of its lanes',
    ],
    [
      'tokens without a price are no longer so in the sum',
      (run) => (total(run).unpriced_tokens += 1),
      'total.unpriced_tokens is not the sum of its lanes',
    ],
    [
      'a quota is called used where there is none',
      (run) => (model(run).rolling_pct = 77),
      'models.claude-sonnet-5.rolling_pct is not what the budget of the run is used by',
    ],
    [
      'there is no such answer',
      (run) => (loose(meterIn(run)).usage = { error: 'x' }),
      '/v1/usage does not tell of a total, of lanes and models',
    ],
  ])('fails where %s', (_name, alter, what) => {
    expect(verdictOf('USAGE-01', alter).outcome).toBe('fail');
    expect(whatOf('USAGE-01', alter)).toContain(what);
  });

  it('takes tokens without a price for what they are', () => {
    const unpriced: Alter = (run) => {
      const { cost_usd: cost } = lane(run);
      Object.assign(lane(run), { cost_usd: null, unpriced_tokens: 51 });
      Object.assign(total(run), { cost_usd: total(run).cost_usd - cost, unpriced_tokens: 51 });
    };
    expect(verdictOf('USAGE-01', unpriced).outcome).toBe('pass');
  });

  it('looks at each model on each lane', () => {
    const moved: Alter = (run) => {
      const { models } = loose(meterIn(run).usage);
      models['claude-sonnet-5'].lanes.zai = models['claude-sonnet-5'].lanes.anthropic;
      delete models['claude-sonnet-5'].lanes.anthropic;
    };
    expect(whatOf('USAGE-01', moved)).toContain('models.claude-sonnet-5 does not tell of anthropic');
  });
});

describe('an exchange of whose tokens nobody knows anything', () => {
  const judged = (id: string, alter?: Alter) =>
    verdictOf(id, undefined, runOf([...greenExchanges(), silentHaiku()], alter));
  const wrongOf = (id: string, alter: Alter) => judged(id, alter).violations.map(({ what }) => what);
  const usage = (run: Mutable<Evidence>) => loose(meterIn(run).usage);

  it.each(['STORE-01', 'STORE-02', 'USAGE-01', 'METRICS-01'])('is taken by %s for what it is', (id) => {
    expect(judged(id).outcome).toBe('pass');
  });

  it('must be told of in hours and days', () => {
    const hide: Alter = (run) => {
      for (const { rollups } of [loose(meterIn(run).hour), loose(meterIn(run).day)])
        for (const rollup of rollups) rollup.uncounted = 0;
    };
    expect(wrongOf('STORE-02', hide).join('\n')).toMatch(
      /granularity=hour: .*\(uncounted: 1, 0\)\n.*granularity=day: .*\(uncounted: 1, 0\)/,
    );
  });

  it.each<[string, Alter, string]>([
    ['by its lane', (run) => (usage(run).lanes.zai.uncounted = 0), 'lanes.zai.uncounted'],
    ['in the total', (run) => delete usage(run).total.uncounted, 'total.uncounted'],
    [
      'by its model',
      (run) => (usage(run).models['claude-haiku-4-5-20251001'].uncounted = 2),
      'models.claude-haiku-4-5-20251001.uncounted',
    ],
  ])('must be told of %s', (_where, alter, what) => {
    expect(wrongOf('USAGE-01', alter)).toContain(`${what} is not what the log says`);
  });

  it('is not free, though it alone was sent', () => {
    const alone = (alter?: Alter) => verdictOf('USAGE-01', undefined, runOf([silentHaiku()], alter));
    expect(alone().outcome).toBe('pass');
    const { violations } = alone((run) => (usage(run).lanes.zai.cost_usd = 0));
    expect(violations.map(({ what }) => what)).toEqual(['lanes.zai used tokens that cost nothing']);
  });

  it('must be counted in /metrics', () => {
    const hide: Alter = (run) => {
      const { answers } = lifeIn(run);
      answers.metrics = (answers.metrics ?? '').replace(/^ccp_uncounted_total.*"zai".*\n/m, '');
    };
    expect(wrongOf('METRICS-01', hide)).toEqual([
      'ccp_uncounted_total does not add up with the log for: zai',
    ]);
  });
});
