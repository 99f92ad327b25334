/** Who sees which credential: the client's are Anthropic's alone, and a provider's key is that provider's. */
import { describe, expect, it } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import { linesOf, valueOf } from './testing/http1-message.ts';
import { keyed } from './testing/providers.ts';
import { connectClient } from './testing/raw-client.ts';
import { startRawUpstream } from './testing/raw-upstream.ts';
import { messagesRequest } from './testing/requests.ts';
import { answerMessage, ask, fails, startTwoLanes, type TwoLanes, zaiError } from './testing/two-lanes.ts';
import { ZAI_KEY } from './testing/world.ts';
import { createUpstreams } from './upstream/upstreams.ts';

const SECRETS = [
  'Authorization: Bearer sk-ant-oat-made-up',
  'X-Api-Key: sk-ant-api-made-up',
  'Cookie: sessionKey=made-up',
  'Proxy-Authorization: Basic made-up',
  'anthropic-organization-id: made-up',
  'Anthropic-Organisation: made-up',
  'x-account-id: made-up',
  'anthropic-workspace-id: made-up',
  'x-custom: before sk-ant-made-up after',
];
/** Those that Anthropic gets: a proxy's own credential ends at the proxy. */
const ANTHROPICS = SECRETS.filter((line) => !line.startsWith('Proxy-'));

const MESSAGES = '/v1/messages?beta=true';
const COUNT = '/v1/messages/count_tokens?beta=true';
const haiku = (target: string): Buffer =>
  messagesRequest({ model: 'claude-haiku-4-5' }, [...SECRETS, 'x-kept: 1'], target);

const headersAt = (lane: TwoLanes['zai']): string[][] =>
  lane.calls.map(({ request }) => linesOf(request.headers));

describe("the client's credentials", () => {
  it.each([MESSAGES, COUNT])('never reach another provider by %s', async (target) => {
    // Both header modes are tried.
    await using world = await startTwoLanes((call, index) =>
      (index === 0 ? fails('401 Unauthorized', zaiError('1001')) : answerMessage)(call, index),
    );
    await ask(world, haiku(target));
    expect(headersAt(world.zai).map((lines) => lines.filter((line) => line.includes('made-up')))).toEqual([
      [`x-api-key: ${ZAI_KEY}`],
      [`authorization: Bearer ${ZAI_KEY}`],
    ]);
    expect(headersAt(world.zai).every((lines) => lines.includes('x-kept: 1'))).toBe(true);
    expect(world.anth.calls).toEqual([]);
  });

  it('reach Anthropic as they came where it takes over, and the key of the other provider does not', async () => {
    await using world = await startTwoLanes(fails('429 Too Many Requests', zaiError('1302')));
    await ask(world, haiku(MESSAGES));
    const [lines = []] = headersAt(world.anth);
    expect(lines.filter((line) => line.includes('made-up'))).toEqual(ANTHROPICS);
    expect(headersAt(world.zai).flat().join()).not.toContain('sk-ant-');
  });

  it.each(['GET /v1/models?limit=1000', 'GET /v1/messages/batches', 'POST /v1/files', 'HEAD /'])(
    'and no others are what Anthropic sees by %s',
    async (start) => {
      await using world = await startTwoLanes(answerMessage, (call) => call.answer('200 OK', []));
      await using client = await connectClient(world.port, { bodiless: true });
      client.send(
        `${start} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\n${SECRETS.join('\r\n')}\r\n\r\n`,
      );
      await client.answer();
      expect(headersAt(world.anth).map((lines) => lines.filter((line) => line.includes('made-up')))).toEqual([
        ANTHROPICS,
      ]);
      expect(world.zai.calls).toEqual([]);
      expect((await world.completion()).header_mode).toBeUndefined();
    },
  );

  it('are in no record and no answer of ours, though everything failed', async () => {
    await using world = await startTwoLanes(
      (call) => call.socket.destroy(),
      (call) => call.socket.destroy(),
    );
    const { body } = await ask(world, haiku(MESSAGES));
    await world.completion();
    const said = JSON.stringify([body, world.decisions, world.completions, world.anomalies, world.log]);
    expect(said).not.toMatch(/made-up|sk-ant/);
  });
});

it('asks nobody where routing refuses, and passes its reason on', async () => {
  const message = 'the key of provider zai is not set (ZAI_API_KEY)';
  const refusal = { status: 403, type: 'permission_error', message, errType: 'auth' } as const;
  await using world = await startTwoLanes(answerMessage, answerMessage, {
    router: () => ({ provider: keyed(), decision: 'no_credential', alternatives: [], refusal }),
  });
  const { status, body } = await ask(world);
  expect([status, JSON.parse(body)]).toMatchObject([
    '403 Forbidden',
    { error: { type: 'permission_error' } },
  ]);
  expect(body).toContain(message);
  expect([world.zai.calls.length, world.anth.calls.length]).toEqual([0, 0]);
  expect(await world.completion()).toMatchObject({ reason: 'blocked', err_type: 'auth', attempts: [] });
});

it('drops what a provider must not see, and renames the model in its body alone', async () => {
  const body = '{"model" : "claude-haiku-4-5","x":"claude-haiku-4-5"}';
  await using world = await startTwoLanes(fails('529 Overloaded', ''), answerMessage, {
    zaiProvider: {
      dropHeaders: ['anthropic-beta'],
      rewriteModel: new Map([['claude-haiku-4-5', 'glm-4.5-"air"']]),
    },
  });
  await ask(world, messagesRequest(Buffer.from(body), ['Anthropic-Beta: a,b']));
  const [zai, anth] = [world.zai.calls[0]?.request, world.anth.calls[0]?.request];
  const renamed = '{"model" : "glm-4.5-\\"air\\"","x":"claude-haiku-4-5"}';
  expect(zai?.body().toString()).toBe(renamed);
  expect(valueOf(zai?.headers ?? [], 'content-length')).toBe(String(renamed.length));
  expect(valueOf(zai?.headers ?? [], 'anthropic-beta')).toBeUndefined();
  expect(anth?.body().toString()).toBe(body);
  expect(valueOf(anth?.headers ?? [], 'anthropic-beta')).toBe('a,b');
  expect(await world.completion()).toMatchObject({ model: 'claude-haiku-4-5', bytes_in: body.length });
});

it('probes a provider without any credential', async () => {
  await using upstream = await startRawUpstream((call) => call.answer('405 Method Not Allowed', []));
  const upstreams = createUpstreams({
    clock: systemClock,
    dialTimeoutMs: 5_000,
    tlsTimeoutMs: 5_000,
    keepAliveDelayMs: 30_000,
    extraCa: null,
    ownPort: () => 1,
  });
  const provider = {
    id: 'zai',
    lane: 'zai',
    origin: upstream.origin,
    basePath: '/prefix',
    auth: { kind: 'key', headerMode: 'authorization', env: 'ZAI_API_KEY', key: ZAI_KEY },
    dropHeaders: [],
    rewriteModel: new Map(),
    h2: true,
    feature: null,
    fallback: [],
  } as const;
  expect(await upstreams.probe(provider, 5_000)).toMatchObject({ status: 405 });
  const { request } = await upstream.call();
  expect(request.startLine).toBe('GET /prefix/v1/messages HTTP/1.1');
  expect(linesOf(request.headers).join()).not.toMatch(/authorization|x-api-key|made-up/i);
  await upstreams.close();
});
