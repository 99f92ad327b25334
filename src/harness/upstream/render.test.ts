import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { describe, expect, test } from 'vitest';
import { countsOf } from './counts.ts';
import { explain } from './explain.ts';
import { type Rendered, render } from './render.ts';
import type { Codec, Scenario } from './scenario.ts';
import { loadScenarios } from './scenarios.ts';
import { createSeeded } from './seeded.ts';
import type { TemplateContext } from './template.ts';

const scenarios = await loadScenarios();

const context = (): TemplateContext => ({
  requestId: 'req_1',
  messageId: 'msg_1',
  provider: 'anth',
  model: 'claude-sonnet-5',
  servedModel: 'claude-sonnet-5',
  now: Date.UTC(2026, 6, 3, 1, 41, 54),
  seeded: createSeeded('render'),
  counts: countsOf('render', 'anth', 1),
});

const play = (
  name: string,
  { provider = 'anth', wantsStream = true }: { provider?: 'anth' | 'zai'; wantsStream?: boolean } = {},
): Promise<Rendered> =>
  render({
    scenario: scenarios.get(name),
    provider: scenarios.provider(provider),
    context: context(),
    wantsStream,
  });

const bytesOf = ({ pieces }: Rendered): Buffer => Buffer.concat(pieces.map(({ bytes }) => bytes));
const jsonOf = (rendered: Rendered): unknown => JSON.parse(bytesOf(rendered).toString('utf8'));
const headersOf = ({ headers }: Rendered): Readonly<Record<string, string>> =>
  Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));

/** What the oracle reads. Its line ends are those of the WHATWG standard, all three. */
function eventsOf(bytes: Buffer): EventSourceMessage[] {
  const events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => events.push(event) });
  parser.feed(bytes.toString('utf8'));
  parser.reset({ consume: true });
  return events;
}

interface Data {
  readonly type: string;
  readonly message?: { readonly usage?: unknown };
  readonly usage?: unknown;
  readonly delta?: Readonly<Record<string, string>>;
}
const dataOf = (bytes: Buffer): Data[] => eventsOf(bytes).map(({ data }): Data => JSON.parse(data));

const DECODE: Readonly<Record<Codec, (bytes: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
};

describe('every scenario', () => {
  test.each(scenarios.names)(
    '%s can be rendered for either provider and either kind of request',
    async (name) => {
      for (const provider of ['anth', 'zai'] as const) {
        for (const wantsStream of [true, false]) {
          const { status, pieces } = await play(name, { provider, wantsStream });
          expect(status).toBe(scenarios.get(name).status);
          expect(pieces.every(({ bytes }) => bytes.length > 0)).toBe(true);
        }
      }
    },
  );

  test('explains itself differently from every other but its twins in text', () => {
    const accounts = scenarios.names.map((name) => {
      const scenario: Scenario = scenarios.get(name);
      return `${scenario.summary}: ${explain(scenario)}`;
    });
    expect(new Set(accounts).size).toBe(accounts.length);
  });
});

describe('a stream', () => {
  test('has the events of the published protocol in their order', async () => {
    const types = dataOf(bytesOf(await play('text'))).map(({ type }) => type);
    expect(types[0]).toBe('message_start');
    expect(types.slice(-3)).toEqual(['content_block_stop', 'message_delta', 'message_stop']);
    expect(new Set(types.slice(3, -3))).toEqual(new Set(['content_block_delta']));
  });

  test.each(['crlf', 'cr', 'bytes-7', 'bytes-1', 'inside-utf8', 'one-piece', 'comments'])(
    '%s carries the same kind of events as the plain one',
    async (name) => {
      const events = eventsOf(bytesOf(await play(name)));
      expect(events.at(0)?.event).toBe('message_start');
      expect(events.at(-1)).toEqual({
        event: 'message_stop',
        data: '{"type":"message_stop"}',
        id: undefined,
      });
    },
  );

  test('of CRLF or CR line ends has no bare LF', async () => {
    expect(bytesOf(await play('crlf')).toString()).not.toMatch(/(?<!\r)\n/);
    expect(bytesOf(await play('cr')).toString()).not.toContain('\n');
  });

  test('cut inside UTF-8 is cut inside every character of several bytes', async () => {
    const { pieces } = await play('inside-utf8');
    const cut = pieces.slice(1).filter(({ bytes }) => ((bytes[0] ?? 0) & 0xc0) === 0x80);
    expect(cut.length).toBe(pieces.length - 1);
    expect(cut.length).toBeGreaterThan(5);
  });

  test('cut into bytes still knows which event a piece ends', async () => {
    const { pieces } = await play('bytes-7');
    expect(pieces.slice(0, -1).every(({ bytes }) => bytes.length === 7)).toBe(true);
    expect(pieces.at(-1)?.events).toBe(eventsOf(bytesOf({ ...(await play('bytes-7')) })).length);
    expect(pieces[0]?.events).toBe(0);
  });

  test('of a tool call gives JSON in fragments, the first one empty', async () => {
    const fragments = dataOf(bytesOf(await play('tools'))).flatMap(
      ({ delta }) => delta?.['partial_json'] ?? [],
    );
    expect(fragments[0]).toBe('');
    expect(JSON.parse(fragments.join(''))).toEqual({ file_path: '/tmp/naïve-東京.txt', limit: 20 });
  });

  test('of thinking ends its block with a signature', async () => {
    const deltas = dataOf(bytesOf(await play('thinking'))).flatMap(({ delta }) => delta?.['type'] ?? []);
    expect(deltas.lastIndexOf('thinking_delta') + 1).toBe(deltas.indexOf('signature_delta'));
  });

  test.each(['gzip', 'br', 'zstd', 'deflate'] as const)(
    '%s can be read event by event, and is whole at the end',
    async (codec) => {
      const rendered = await play(codec);
      expect(headersOf(rendered)['content-encoding']).toBe(codec);
      expect(eventsOf(DECODE[codec](bytesOf(rendered))).at(-1)?.event).toBe('message_stop');
      expect(rendered.pieces.map(({ events }) => events)).toEqual(
        rendered.pieces.map((_, index) => index + 1),
      );
    },
  );

  test('may be compressed without saying so, or say so without being compressed', async () => {
    expect(headersOf(await play('zstd-undeclared'))).not.toHaveProperty('content-encoding');
    expect(headersOf(await play('gzip-false'))['content-encoding']).toBe('gzip');
    expect(() => gunzipSync(bytesOf({ status: 0, headers: [], stream: true, pieces: [] }))).toThrow();
  });
});

describe('usage', () => {
  const { counts } = context();
  const usages = async (name: string, provider: 'anth' | 'zai' = 'anth'): Promise<readonly unknown[]> =>
    dataOf(bytesOf(await play(name, { provider }))).flatMap(
      ({ message, usage }) => message?.usage ?? usage ?? [],
    );

  test('of Anthropic stands in message_start and, cumulative, in message_delta', async () => {
    const [start, delta, ...more] = await usages('text');
    expect(start).toMatchObject({
      input_tokens: counts.input,
      cache_read_input_tokens: counts.cache_read,
      cache_creation_input_tokens: counts.cache_write_5m + counts.cache_write_1h,
      cache_creation: {
        ephemeral_5m_input_tokens: counts.cache_write_5m,
        ephemeral_1h_input_tokens: counts.cache_write_1h,
      },
      output_tokens: 1,
    });
    expect(delta).toMatchObject({ input_tokens: counts.input, output_tokens: counts.output });
    expect(more).toEqual([]);
  });

  test('of Z.AI is 0/0 at the start, real at the end, and never knows cache writes', async () => {
    const [start, delta] = await usages('text', 'zai');
    expect(start).toEqual({ input_tokens: 0, output_tokens: 0 });
    expect(delta).toEqual({
      input_tokens: counts.input,
      output_tokens: counts.output,
      cache_read_input_tokens: counts.cache_read,
      server_tool_use: { web_search_requests: 0 },
      service_tier: 'standard',
    });
    expect(await usages('usage-late', 'zai')).toHaveLength(2);
  });

  test('in several updates grows to the final count', async () => {
    const outputs = (await usages('usage-cumulative')).map((usage) => Object(usage).output_tokens);
    expect(outputs).toEqual(outputs.toSorted((a, b) => a - b));
    expect([outputs.length, outputs.at(-1)]).toEqual([5, counts.output]);
  });

  test('may be null or missing on the input side of message_delta, or absent', async () => {
    expect((await usages('usage-nulls'))[1]).toMatchObject({
      input_tokens: null,
      output_tokens: counts.output,
    });
    expect((await usages('usage-output-only'))[1]).toEqual({ output_tokens: counts.output });
    expect(await usages('usage-absent')).toEqual([]);
  });

  test('of a JSON answer is all there', async () => {
    const json = jsonOf(await play('text', { wantsStream: false }));
    expect(json).toMatchObject({ usage: { input_tokens: counts.input, output_tokens: counts.output } });
  });
});

describe('an error', () => {
  test('of Anthropic has its published shape', async () => {
    expect(jsonOf(await play('anth-529'))).toEqual({
      type: 'error',
      error: { type: 'overloaded_error', message: 'Overloaded' },
      request_id: 'req_1',
    });
  });

  test('of Z.AI comes in the shape of 2025 and of 2026, its reset in UTC+8 and nowhere else', async () => {
    const reset = 'Usage limit reached for 5 hour. Your limit will reset at 2026-07-03 11:11:54';
    const [old, recent] = [
      await play('zai-1308-2025', { provider: 'zai' }),
      await play('zai-1308-2026', { provider: 'zai' }),
    ];
    expect(jsonOf(old)).toEqual({
      type: 'error',
      error: { type: '1308', message: reset },
      request_id: 'req_1',
    });
    expect(jsonOf(recent)).toEqual({
      type: 'error',
      error: { type: 'rate_limit_error', code: '1308', message: `[1308][${reset}][req_1]` },
      request_id: 'req_1',
    });
    expect([old.status, recent.status]).toEqual([429, 429]);
    expect(headersOf(old)).not.toHaveProperty('retry-after');
  });

  test('of a used-up subscription states its windows in epoch seconds', async () => {
    const headers = headersOf(await play('anth-429-unified'));
    const now = context().now / 1000;
    expect(headers).toMatchObject({
      'retry-after': '2094',
      'anthropic-ratelimit-unified-status': 'rejected',
      'anthropic-ratelimit-unified-5h-reset': String(now + 2094),
      'anthropic-ratelimit-unified-7d-utilization': '0.59',
    });
  });

  test('inside a stream follows the events that came before it', async () => {
    const types = dataOf(bytesOf(await play('overloaded-midstream'))).map(({ type }) => type);
    expect(types[5]).toBe('error');
    expect(scenarios.get('overloaded-midstream').fault).toEqual({ kind: 'end', at: { events: 6 } });
  });
});
