import { createHash } from 'node:crypto';
import { connect } from 'node:http2';
import { Agent, request } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import type { Transcript } from '../../protocol/transcript.ts';
import { createCa } from '../certs.ts';
import { postHttp2, postText, sendRaw } from '../testing/raw-client.ts';
import { loadScenarios } from './scenarios.ts';
import { startUpstream, type Upstream, type UpstreamOptions } from './upstream.ts';

const ca = createCa();
const scenarios = await loadScenarios();
const started: Upstream[] = [];

async function start(options: Partial<UpstreamOptions> = {}): Promise<Upstream> {
  const upstream = await startUpstream({ provider: 'anth', ca, scenarios, seed: 'test', ...options });
  started.push(upstream);
  return upstream;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((upstream) => upstream[Symbol.asyncDispose]()));
});

const message = (text = 'hello', stream = true): Readonly<Record<string, unknown>> => ({
  model: 'claude-haiku-4-5-20251001',
  stream,
  messages: [{ role: 'user', content: text }],
});

/** The answer as text, head included. */
async function post(
  upstream: Upstream,
  path: string,
  body: unknown,
  headers?: readonly string[],
): Promise<string> {
  const base = new URL(upstream.url);
  const trusted = base.protocol === 'https:' ? ca.certPem : undefined;
  const prefix = base.pathname === '/' ? '' : base.pathname;
  const { ended } = await sendRaw(upstream.url, postText(prefix + path, body, headers), trusted);
  return (await ended).bytes.toString('utf8');
}

async function only(upstream: Upstream): Promise<Transcript> {
  await upstream.idle();
  const [transcript, ...more] = upstream.transcripts();
  if (transcript === undefined || more.length > 0)
    throw new Error(`${more.length} transcripts more than one`);
  return transcript;
}

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');
const bodyText = (transcript: Transcript): string =>
  Buffer.from(transcript.response?.body.base64 ?? '', 'base64').toString('utf8');
const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);
const unchunked = (body: string): string => body.replaceAll(/(?:^|\r\n)[\da-f]+\r\n(?:\r\n$)?/g, '');

describe('a transcript', () => {
  test('keeps order, case and duplicates of the headers and every byte of the target, over HTTP/1.1', async () => {
    const upstream = await start();
    const target = '/v1/messages?beta=true&x=%2F%2f&&y=a+b';
    const headers = ['X-ONE: 1', 'x-dup: a', 'x-api-key: k', 'X-Dup:  b', 'Accept: */*', 'x-dup: a'];
    await post(upstream, target, message(), headers);
    const { request: seen, http, side, observer } = await only(upstream);
    expect(seen.target).toBe(target);
    expect(seen.headers.slice(1, -2)).toEqual([
      ['X-ONE', '1'],
      ['x-dup', 'a'],
      ['x-api-key', 'k'],
      ['X-Dup', 'b'],
      ['Accept', '*/*'],
      ['x-dup', 'a'],
    ]);
    expect([http, side, observer]).toEqual(['1.1', 'upstream', 'anth']);
  });

  test('keeps the header list over HTTP/2, pseudo-headers included', async () => {
    const upstream = await start();
    const { answer } = await postHttp2(upstream.url, '/v1/messages?beta=true', message(), ca.certPem);
    await answer;
    const { request: seen, http } = await only(upstream);
    expect([http, seen.method, seen.target]).toEqual(['2', 'POST', '/v1/messages?beta=true']);
    expect(seen.headers).toEqual([
      [':method', 'POST'],
      [':scheme', 'https'],
      [':path', '/v1/messages?beta=true'],
      [':authority', 'localhost'],
      ['x-api-key', 'test'],
    ]);
  });

  test('holds the request body, its hash, and when its pieces came', async () => {
    const upstream = await start();
    const [head = '', body = ''] = postText('/v1/messages', message()).split('\r\n\r\n');
    const { socket, ended } = await sendRaw(upstream.url, `${head}\r\n\r\n${body.slice(0, 10)}`, ca.certPem);
    await new Promise((resolve) => void setTimeout(resolve, 30));
    socket.write(body.slice(10));
    await ended;
    const seen = (await only(upstream)).request.body;
    expect(Buffer.from(seen.base64 ?? '', 'base64').toString()).toBe(body);
    expect([seen.bytes, seen.sha256]).toEqual([body.length, sha256(body)]);
    expect(seen.pieces.map(([, bytes]) => bytes)).toEqual([10, body.length - 10]);
    const [[first] = [0], [second] = [0]] = seen.pieces;
    expect(second - first).toBeGreaterThan(25);
  });

  test('says of the answer exactly what the client got: status, headers, bytes', async () => {
    const upstream = await start();
    upstream.play('repeated-headers');
    const answer = await post(upstream, '/v1/messages', message('hi', false));
    const { response, ending, requestId, scenario } = await only(upstream);
    const [statusLine, ...lines] = answer.slice(0, answer.indexOf('\r\n\r\n')).split('\r\n');
    expect(statusLine).toBe('HTTP/1.1 200 OK');
    expect(response?.headers.map(([name, value]) => `${name}: ${value}`)).toEqual(lines);
    expect(lines.filter((line) => line.startsWith('set-cookie'))).toHaveLength(2);
    expect(response?.body).toMatchObject({ sha256: sha256(bodyOf(answer)), bytes: bodyOf(answer).length });
    expect(lines).toContain(`request-id: ${requestId}`);
    expect([ending, scenario]).toEqual(['complete', expect.stringMatching(/^repeated-headers: 200 with /)]);
  });

  test('shows the compressed bytes and the pace of an answer', async () => {
    const upstream = await start();
    const exchange = await postHttp2(upstream.url, '/v1/messages', message('scenario=br'), ca.certPem);
    const received = (await exchange.answer).body;
    const body = (await only(upstream)).response?.body;
    const gaps = body?.pieces.map(([at], index, all) => at - (all[index - 1]?.[0] ?? at)).slice(1) ?? [];
    expect(body?.pieces.length).toBeGreaterThan(15);
    expect(body).toMatchObject({ sha256: sha256(received), base64: received.toString('base64') });
    expect(Math.min(...gaps)).toBeGreaterThan(8);
  });

  test('of a request that was cut has no answer and ends cut_by_peer', async () => {
    const upstream = await start();
    const { socket } = await sendRaw(
      upstream.url,
      postText('/v1/messages', message()).slice(0, -5),
      ca.certPem,
    );
    await vi.waitUntil(() => upstream.openSockets() === 1);
    socket.destroy();
    await vi.waitUntil(() => upstream.transcripts().length === 1);
    expect((await only(upstream)).ending).toBe('cut_by_peer');
    expect(upstream.transcripts()[0]).not.toHaveProperty('response');
  });

  test('without bodies still has hashes and lengths', async () => {
    const upstream = await start({ keepBodies: false });
    await post(upstream, '/v1/messages', message());
    const { request: seen, response } = await only(upstream);
    expect(seen.body).not.toHaveProperty('base64');
    expect(response?.body).not.toHaveProperty('base64');
    expect(seen.body.sha256).toBe(sha256(JSON.stringify(message())));
  });

  test('is handed to onTranscript when its exchange ends, also over plain HTTP', async () => {
    const seen: Transcript[] = [];
    const upstream = await start({ tls: false, onTranscript: (transcript) => seen.push(transcript) });
    expect(upstream.url).toMatch(/^http:\/\/localhost:\d+$/);
    await post(upstream, '/v1/messages', message());
    expect(seen).toEqual(upstream.transcripts());
  });
});

describe('which answer', () => {
  test('a stream where one was asked for, else JSON, naming model and provider', async () => {
    const upstream = await start({ provider: 'zai' });
    const streamed = await post(upstream, '/v1/messages?beta=true', message());
    const json: unknown = JSON.parse(bodyOf(await post(upstream, '/v1/messages', message('hi', false))));
    expect(unchunked(bodyOf(streamed))).toMatch(/^event: message_start\ndata: \{/);
    expect(json).toMatchObject({ content: [{ text: 'glm-4.7-air at zai: ok' }], stop_reason: 'end_turn' });
  });

  test.each([
    ['anth', 'HEAD', '/', '', 404],
    ['anth', 'GET', '/v1/messages', '', 405],
    ['anth', 'GET', '/v1/models?limit=1000', 'x-api-key: k', 200],
    ['anth', 'POST', '/v1/messages/count_tokens?beta=true', 'authorization: Bearer t', 200],
    ['anth', 'POST', '/v1/messages', '', 401],
    ['anth', 'POST', '/v1/unknown', 'x-api-key: k', 404],
    ['zai', 'GET', '/api/anthropic/v1/messages', '', 405],
    ['zai', 'POST', '/v1/messages', 'x-api-key: k', 404],
    ['zai', 'POST', '/api/anthropic/v1/messages', '', 401],
    ['zai', 'GET', '/api/monitor/usage/quota/limit', '', 200],
  ] as const)('%s: %s %s with "%s" is a %i', async (provider, method, target, header, status) => {
    const upstream = await start({ provider });
    const head = [
      `${method} ${target} HTTP/1.1`,
      'Host: h',
      ...(header ? [header] : []),
      'Connection: close',
    ];
    const { ended } = await sendRaw(upstream.url, `${head.join('\r\n')}\r\n\r\n`, ca.certPem);
    expect((await ended).bytes.toString()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  test('a queued play comes before the marker in the body, and both before the default', async () => {
    const upstream = await start();
    upstream.play('anth-529', { times: 2 });
    const status = async (text: string): Promise<string> =>
      (await post(upstream, '/v1/messages', message(text))).slice(9, 12);
    await post(upstream, '/v1/messages/count_tokens', {});
    expect(await status('scenario=anth-402')).toBe('529');
    expect(await status('hello')).toBe('529');
    expect(await status('scenario=anth-402')).toBe('402');
    expect(await status('hello')).toBe('200');
  });

  test('a play waits for the request that it was meant for', async () => {
    const upstream = await start();
    upstream.play('anth-500', { when: (facts) => facts.path.endsWith('count_tokens') });
    expect(await post(upstream, '/v1/messages', message())).toMatch(/^HTTP\/1.1 200/);
    expect(await post(upstream, '/v1/messages/count_tokens', {})).toMatch(/^HTTP\/1.1 500/);
  });

  test('the marker is found in a body of five megabytes; an unknown one is told, not guessed', async () => {
    const upstream = await start();
    const padded = { messages: [`${'x'.repeat(5_000_000)} scenario=anth-403 please`] };
    expect(await post(upstream, '/v1/messages', padded)).toMatch(/^HTTP\/1.1 403/);
    expect(await post(upstream, '/v1/messages', message('scenario=nonsense'))).toMatch(/^HTTP\/1.1 400/);
    expect(() => upstream.play('nonsense')).toThrow('there is no scenario "nonsense"');
  });

  test('never repeats a credential', async () => {
    const upstream = await start();
    const secret = 'sk-ant-made-up-secret';
    const headers = [`x-api-key: ${secret}`, `Authorization: Bearer ${secret}`, `Cookie: a=${secret}`];
    for (const name of scenarios.names.filter((candidate) => candidate.startsWith('anth-'))) {
      upstream.play(name);
      expect(await post(upstream, '/v1/messages', message(), headers)).not.toContain(secret);
    }
    await upstream.idle();
    expect(upstream.transcripts().length).toBeGreaterThan(20);
  });
});

describe('a seed', () => {
  const clock = { ...systemClock, now: () => Date.UTC(2026, 6, 3, 3, 11, 54) };
  const run = async (seed: string): Promise<readonly string[]> => {
    const upstream = await start({ seed, clock });
    const bodies = ['thinking', 'tools', 'many-deltas', 'gzip', 'repeated-headers'];
    const answers: string[] = [];
    for (const name of bodies)
      answers.push(await post(upstream, '/v1/messages', message(`scenario=${name}`)));
    return answers;
  };

  test('repeats every byte of every answer', async () => {
    expect(await run('one')).toEqual(await run('one'));
  });

  test('another seed gives other answers', async () => {
    const [one, two] = [await run('one'), await run('two')];
    expect(one.filter((answer, index) => answer === two[index])).toEqual([]);
  });

  test('gives each exchange its own id and its own counts', async () => {
    const upstream = await start();
    for (let index = 0; index < 20; index += 1) await post(upstream, '/v1/messages', message('hi', false));
    const usages = upstream
      .transcripts()
      .map((transcript): Record<string, number> => JSON.parse(bodyText(transcript)).usage);
    expect(new Set(upstream.transcripts().map(({ requestId }) => requestId)).size).toBe(20);
    for (const kind of ['input_tokens', 'output_tokens', 'cache_read_input_tokens'] as const) {
      expect(new Set(usages.map((usage) => usage[kind])).size).toBe(20);
    }
  });
});

describe('under load', () => {
  test('500 parallel exchanges over HTTP/1.1 and HTTP/2 are all answered and recorded, and no socket stays', async () => {
    const upstream = await start({ keepBodies: false });
    const body = JSON.stringify(message(`scenario=paced ${'x'.repeat(10_000)}`));
    const agent = new Agent({ ca: ca.certPem, keepAlive: true });
    const session = connect(upstream.url, { ca: ca.certPem });
    const overH1 = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const headers = { 'x-api-key': 'k' };
        const sent = request(`${upstream.url}/v1/messages`, { method: 'POST', agent, headers }, (answer) => {
          buffer(answer).then((bytes) => resolve(bytes.length), reject);
        });
        sent.on('error', reject);
        sent.end(body);
      });
    const overH2 = async (): Promise<number> => {
      const stream = session.request({ ':method': 'POST', ':path': '/v1/messages', 'x-api-key': 'k' });
      stream.end(body);
      return (await buffer(stream)).length;
    };
    const lengths = await Promise.all(
      Array.from({ length: 500 }, (_, index) => (index % 2 ? overH1() : overH2())),
    );
    await upstream.idle();
    expect(upstream.transcripts()).toHaveLength(500);
    expect(new Set(upstream.transcripts().map(({ ending }) => ending))).toEqual(new Set(['complete']));
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    expect(sum(lengths)).toBe(sum(upstream.transcripts().map(({ response }) => response?.body.bytes ?? 0)));
    agent.destroy();
    session.destroy();
    await vi.waitUntil(() => upstream.openSockets() === 0);
  });

  test('disposal ends what still runs and says that it was us', async () => {
    const upstream = await start();
    const exchange = await sendRaw(
      upstream.url,
      postText('/v1/messages', message('scenario=long-paced')),
      ca.certPem,
    );
    await exchange.until((text) => text.includes('content_block_delta'));
    await upstream[Symbol.asyncDispose]();
    await exchange.ended;
    expect(upstream.transcripts().map(({ ending }) => ending)).toEqual(['ended_by_self']);
    expect(upstream.openSockets()).toBe(0);
  });
});

test('what is no HTTP is kept apart and harms no other exchange', async () => {
  const upstream = await start();
  const { ended } = await sendRaw(upstream.url, 'GARBAGE\r\n\r\n', ca.certPem);
  await ended;
  expect(upstream.malformed()).toEqual([expect.stringMatching(/^HPE_/)]);
  expect(await post(upstream, '/v1/messages', message())).toMatch(/^HTTP\/1.1 200/);
});

test('without h2 a client that speaks nothing else is refused in the handshake', async () => {
  const upstream = await start({ h2: false });
  await expect(postHttp2(upstream.url, '/v1/messages', message(), ca.certPem)).rejects.toThrow(
    'no application protocol',
  );
});
