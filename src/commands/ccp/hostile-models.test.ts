/** A client may name any model it likes, and each name could be a time series for ever: tried on a real proxy. */
import { Agent, type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createTestHost, type TestHost } from '../shared/testing/test-host.ts';
import { type HttpUpstream, type Served, startHttpUpstream, startServed } from './testing/served.ts';

const NAMES = 10_000;
/** Connections. */
const AT_ONCE = 16;
/** What the proxy tells apart, those that it does not, and no model at all. */
const MOST_MODELS = 102;
const INPUT_TOKENS = 7;

/** One of each kind in turn, so that every kind is among the first hundred, which become labels as they are. */
const KINDS: readonly ((index: number) => string)[] = [
  (index) => `model-${index}`,
  (index) => `line\nforged_total{a="b"} ${index}\r\n# TYPE forged_total counter`,
  (index) => `"} 1 ${index}\\`,
  (index) => `\\n\\"${index}`,
  (index) => `\u202e\u{1f4a9}\u0301\ud800${index}\u2028`,
  (index) => `\u0000\u001b[31m${index}`,
  (index) => `${'x'.repeat(index % 500)}${index}`,
  (index) => `{lane="zai",model="${index}"}`,
  (index) => ['__proto__', 'constructor', 'toString', '', ' ', 'other', 'none'][index % 7] ?? '',
  (index) => `__proto__.${index}`,
];
const named = (index: number): string =>
  KINDS[index % KINDS.length]?.(Math.floor(index / KINDS.length)) ?? '';

let host: TestHost;
let upstream: HttpUpstream;
let proxy: Served;
let before: string[];
let after: string[];
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
const statuses = new Set<number | undefined>();

beforeAll(async () => {
  host = createTestHost();
  host.write(
    '~/.config/ccp/quotas.json',
    '{"quotas": [{"model": "*", "lane": "anthropic", "weekly": {"requests": 1000000}}]}',
  );
  upstream = await startHttpUpstream((response, { body }) => {
    const { model } = JSON.parse(body === '' ? '{}' : body);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ type: 'message', model, usage: { input_tokens: INPUT_TOKENS } }));
  });
  proxy = await startServed({
    cwd: host.cwd,
    home: host.home,
    env: { CCP_ANTHROPIC_BASE_URL: upstream.url },
  });
  statuses.add(await post('model-0'));
  await ended(1);
  before = await scraped();
  let next = 1;
  const client = async (): Promise<void> => {
    while (next < NAMES) {
      const index = next;
      next += 1;
      statuses.add(await post(named(index)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  await ended(NAMES);
  after = await scraped();
}, 120_000);
afterAll(async () => {
  agent.destroy();
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  host[Symbol.dispose]();
});

/** As `ask` of served.ts, which takes the processor several times as long. */
async function post(model: string): Promise<number | undefined> {
  const headers = { 'x-api-key': 'made-up-client-key', 'content-type': 'application/json' };
  const asked = request(`${proxy.url}/v1/messages`, { method: 'POST', agent, headers });
  asked.end(JSON.stringify({ model, max_tokens: 1, messages: [] }));
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve).once('error', reject);
  });
  for await (const _ of answer);
  return answer.statusCode;
}

/** Waits until so many are counted, a moment after their answers. */
const ended = (count: number): Promise<unknown> =>
  vi.waitFor(
    async () =>
      expect((await scraped()).join('\n')).toMatch(new RegExp(`^ccp_store_writes_total ${count}$`, 'm')),
    {
      timeout: 30_000,
      interval: 50,
    },
  );

/** The lines of `/metrics`. */
async function scraped(): Promise<string[]> {
  const answer = await fetch(`${proxy.url}/metrics`);
  return (await answer.text()).split('\n').filter((line) => line !== '');
}

it('has them all pass, and counts each', () => {
  expect([...statuses]).toEqual([200]);
  expect(upstream.seen).toHaveLength(NAMES);
  const counts = after.flatMap((line) => /^ccp_tokens_total\{.*kind="input"\} (\d+)$/.exec(line)?.[1] ?? []);
  expect(counts.reduce((sum, count) => sum + Number(count), 0)).toBe(NAMES * INPUT_TOKENS);
});

it('gives a hundred of them a label, and the others one together', () => {
  const labels = after.flatMap((line) => /[{,]model="((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? []);
  const models = new Set(labels);
  expect(models.size).toBeGreaterThan(90);
  expect(models.size).toBeLessThanOrEqual(MOST_MODELS);
  expect(models).toContain('other');
  expect(Math.max(...labels.map(({ length }) => length))).toBeLessThan(300);
});

it('has no more series for them than for one, but of tokens', () => {
  const series = (lines: readonly string[]): string[] =>
    lines
      .filter((line) => line.startsWith('ccp_') && !line.startsWith('ccp_tokens_total'))
      .map((line) => line.replace(/ \S+$/, ''));
  expect(series(after)).toEqual(series(before));
});

it('lets none of them forge a line', () => {
  // What is no number prom-client writes as Nan, which Prometheus reads as it reads NaN.
  const sample = /^[a-z][a-z0-9_]*(?:\{(?:[a-z_]+="(?:[^"\\]|\\[\\"n])*",?)+\})? (?:[\d.e+-]+|Nan|[+-]Inf)$/;
  const wrong = after.filter((line) => !line.startsWith('# ') && !sample.test(line));
  expect(wrong).toEqual([]);
  expect(after.filter((line) => /[\p{C}\p{Zl}\p{Zp}]/u.test(line))).toEqual([]);
  expect(after.filter((line) => /^(?:# TYPE )?forged/.test(line))).toEqual([]);
});
