/** A failure of the zai lane that the client has not seen, and who takes over. */
import { describe, expect, it } from 'vitest';
import type { CompletionEvent } from '../protocol/usage-event.ts';
import { valueOf } from './testing/http1-message.ts';
import { connectClient } from './testing/raw-client.ts';
import type { Call } from './testing/raw-upstream.ts';
import { HAIKU_REQUEST, messagesRequest, SONNET_REQUEST } from './testing/requests.ts';
import {
  answerMessage,
  ask,
  fails,
  MESSAGE,
  NO_FALLBACK,
  type Respond,
  startTwoLanes,
  zaiError,
} from './testing/two-lanes.ts';
import { ZAI_KEY } from './testing/world.ts';

/** `zai 429 limit`, with `-` for what is absent. */
const attemptsOf = ({ attempts }: CompletionEvent): string[] =>
  attempts.map(({ provider, status = '-', err_type = '-' }) => `${provider} ${status} ${err_type}`);

const credentials = ({ request: { headers } }: Call) => ({
  'x-api-key': valueOf(headers, 'x-api-key'),
  authorization: valueOf(headers, 'authorization'),
});

describe('a failure of Z.AI', () => {
  type Kind = readonly [what: string, respond: Respond, cause: string, status: string, errType: string];
  const given = (status: string, body: string, cause: string, errType: string): Kind => [
    `${status} ${/"(?:code|type)":"(\d+)"/.exec(body)?.[1] ?? body}`.trim(),
    fails(`${status} Because`, body),
    `fallback_${cause}`,
    status,
    errType,
  ];
  const ANSWERS: readonly Kind[] = [
    given('429', zaiError('1302'), 'limit', 'limit'),
    given('429', zaiError('1308'), 'limit', 'limit'),
    given('429', zaiError('1310'), 'limit', 'limit'),
    // The code as the type, as it was in 2025.
    given('429', zaiError('', '1308'), 'limit', 'limit'),
    given('429', '', 'limit', 'limit'),
    given('429', zaiError('1305'), 'overload', 'overloaded'),
    given('529', zaiError('1305', 'overloaded_error'), 'overload', 'overloaded'),
    given('403', '{}', 'auth', 'auth'),
    given('500', zaiError('500', 'api_error'), 'net', 'http_5xx'),
    given('503', '<html>', 'net', 'http_5xx'),
  ];
  const NO_ANSWERS: readonly Kind[] = [
    ['a reset', ({ socket }) => socket.resetAndDestroy(), 'fallback_net', '-', 'net'],
    ['bytes that are no HTTP', (call) => call.send('SSH-2.0-x\r\n\r\n'), 'fallback_net', '-', 'protocol'],
  ];

  it.each([...ANSWERS, ...NO_ANSWERS])(
    'of the kind %s is taken over by Anthropic',
    async (_, respond, decision, status, errType) => {
      await using world = await startTwoLanes(respond);
      expect(await ask(world)).toEqual({ status: '200 OK', body: MESSAGE });
      const completion = await world.completion();
      expect(completion).toMatchObject({
        decision,
        reason: 'ok',
        status: 200,
        lane: 'anthropic',
        provider: 'anth',
      });
      expect(attemptsOf(completion)).toEqual([`zai ${status} ${errType}`, 'anth 200 -']);
      // The header mode is that of the lane which answered: Anthropic's has none.
      expect(completion.header_mode).toBeUndefined();
      expect(completion.attempts.map(({ header_mode }) => header_mode)).toEqual(['x-api-key', undefined]);
      expect(world.decisions).toMatchObject([{ decision: 'to_zai', lane: 'zai', alternatives: ['anth'] }]);
    },
  );

  it.each(ANSWERS)(
    'of the kind %s reaches the client as it is where nothing may take over',
    async (_, respond, _decision, status, errType) => {
      await using world = await startTwoLanes(respond, answerMessage, NO_FALLBACK);
      const { body } = await ask(world);
      expect(world.anth.calls).toEqual([]);
      expect(await world.completion()).toMatchObject({
        decision: 'to_zai',
        reason: 'upstream_error',
        err_type: errType,
        status: Number(status),
        attempts: [{ provider: 'zai', status: Number(status), err_type: errType }],
      });
      const sent = world.zai.calls.length;
      expect([sent, body.includes('ccp')]).toEqual([1, false]);
    },
  );

  it.each([
    ['refused connections', {}, 502, 'upstream_error', 'net'],
    ['silence', { limits: { headMs: 400 } }, 504, 'timeout', 'timeout'],
  ])(
    'by %s falls back, or is told in the shape of Anthropic',
    async (kind, options, status, reason, errType) => {
      const zaiProvider = kind === 'silence' ? {} : { origin: 'http://127.0.0.1:1' };
      const silent: Respond = () => {};
      {
        await using world = await startTwoLanes(silent, answerMessage, { ...options, zaiProvider });
        expect(await ask(world)).toMatchObject({ status: '200 OK' });
        expect(await world.completion()).toMatchObject({
          decision: 'fallback_net',
          attempts: [
            { provider: 'zai', err_type: errType },
            { provider: 'anth', status: 200 },
          ],
        });
      }
      await using world = await startTwoLanes(silent, answerMessage, {
        ...options,
        ...NO_FALLBACK,
        zaiProvider,
      });
      const { body, ...answer } = await ask(world);
      expect(answer.status).toContain(String(status));
      expect(JSON.parse(body)).toMatchObject({
        type: 'error',
        error: { message: expect.stringContaining('ccp: zai') },
      });
      expect(await world.completion()).toMatchObject({
        status,
        reason,
        err_type: errType,
        decision: 'to_zai',
      });
    },
  );

  it('that is the fault of the request is nobody else’s to repeat', async () => {
    const body = zaiError('1210', 'invalid_request_error');
    await using world = await startTwoLanes(fails('400 Bad Request', body));
    expect(await ask(world)).toEqual({ status: '400 Bad Request', body });
    expect(world.anth.calls).toEqual([]);
    expect(await world.completion()).toMatchObject({ decision: 'to_zai', err_type: 'http_4xx' });
  });

  it('falls back for the causes that are switched on, and for no other', async () => {
    const policy = { fallback: new Set(['overload'] as const) };
    const answers = [fails('429 Too Many Requests', zaiError('1302')), fails('529 Overloaded', '')];
    await using world = await startTwoLanes((call, index) => answers[index]?.(call, index), answerMessage, {
      policy,
    });
    expect((await ask(world)).status).toBe('429 Too Many Requests');
    expect((await ask(world)).status).toBe('200 OK');
    expect(world.anth.calls).toHaveLength(1);
  });

  it('does not repeat itself: what Anthropic then answers is the answer, without a wait that the other lane stated', async () => {
    const busy = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}';
    await using world = await startTwoLanes(
      fails('429 Too Many Requests', zaiError('1308'), ['retry-after: 60']),
      fails('529 Overloaded', busy, ['x-should-retry: true']),
    );
    await using client = await connectClient(world.port);
    client.send(HAIKU_REQUEST);
    const answer = await client.answer();
    expect([answer.startLine, answer.body().toString()]).toEqual(['HTTP/1.1 529 Overloaded', busy]);
    expect(['retry-after', 'x-should-retry'].map((name) => valueOf(answer.headers, name))).toEqual([
      undefined,
      'true',
    ]);
    expect([world.zai.calls.length, world.anth.calls.length]).toEqual([1, 1]);
    expect(attemptsOf(await world.completion())).toEqual(['zai 429 limit', 'anth 529 overloaded']);
  });

  it('on count_tokens falls back just the same', async () => {
    await using world = await startTwoLanes(
      fails('529 Overloaded', ''),
      fails('200 OK', '{"input_tokens":7}'),
    );
    const request = messagesRequest({ model: 'claude-haiku-4-5' }, [], '/v1/messages/count_tokens?beta=true');
    expect(await ask(world, request)).toEqual({ status: '200 OK', body: '{"input_tokens":7}' });
    expect(world.zai.calls[0]?.request.startLine).toContain(
      '/api/anthropic/v1/messages/count_tokens?beta=true',
    );
    expect(world.anth.calls[0]?.request.startLine).toBe('POST /v1/messages/count_tokens?beta=true HTTP/1.1');
    expect(await world.completion()).toMatchObject({ op: 'count_tokens', decision: 'fallback_overload' });
  });

  it('sends the fallback the very bytes that the client sent', async () => {
    const body = Buffer.from('{ "model" : "claude-haiku-4-5", "messages":[], "x":"\\u00e9é" }  ');
    await using world = await startTwoLanes(fails('500 Internal Server Error', ''));
    await ask(world, messagesRequest(body));
    expect(world.zai.calls[0]?.request.body()).toEqual(body);
    expect(world.anth.calls[0]?.request.body()).toEqual(body);
  });
});

describe('a 401 of Z.AI', () => {
  const unauthorized = fails('401 Unauthorized', zaiError('1001', 'authentication_error'));

  it('is answered by the other header, once, and that may do', async () => {
    await using world = await startTwoLanes((call, index) =>
      (index === 0 ? unauthorized : answerMessage)(call, index),
    );
    expect((await ask(world)).status).toBe('200 OK');
    expect(world.zai.calls.map(credentials)).toEqual([
      { 'x-api-key': ZAI_KEY, authorization: undefined },
      { 'x-api-key': undefined, authorization: `Bearer ${ZAI_KEY}` },
    ]);
    const completion = await world.completion();
    expect(completion).toMatchObject({ decision: 'to_zai', lane: 'zai', header_mode: 'authorization' });
    expect(completion.attempts).toMatchObject([
      { provider: 'zai', status: 401, err_type: 'auth', header_mode: 'x-api-key' },
      { provider: 'zai', status: 200, header_mode: 'authorization' },
    ]);
    expect(world.anth.calls).toEqual([]);
  });

  it('in both headers goes to Anthropic, and without fallback to the client', async () => {
    for (const options of [{}, NO_FALLBACK]) {
      await using world = await startTwoLanes(unauthorized, answerMessage, {
        ...options,
        zaiProvider: { auth: { kind: 'key', headerMode: 'authorization', env: 'ZAI_API_KEY', key: ZAI_KEY } },
      });
      const falls = options !== NO_FALLBACK;
      expect((await ask(world)).status).toBe(falls ? '200 OK' : '401 Unauthorized');
      const completion = await world.completion();
      expect(completion.attempts.map(({ header_mode }) => header_mode)).toEqual(
        ['authorization', 'x-api-key', undefined].slice(0, falls ? 3 : 2),
      );
      expect(completion).toMatchObject(
        falls
          ? { decision: 'fallback_auth', reason: 'ok' }
          : { decision: 'to_zai', reason: 'upstream_error', err_type: 'auth', status: 401 },
      );
    }
  });
});

it('leaves a 401 of Anthropic to the client, which alone can renew its login', async () => {
  await using world = await startTwoLanes(answerMessage, fails('401 Unauthorized', '{"type":"error"}'));
  expect(await ask(world, SONNET_REQUEST)).toEqual({ status: '401 Unauthorized', body: '{"type":"error"}' });
  expect([world.anth.calls.length, world.zai.calls.length]).toEqual([1, 0]);
  expect(await world.completion()).toMatchObject({ err_type: 'auth', attempts: [{ err_type: 'auth' }] });
});

describe('a stated wait', () => {
  const BUSY = fails('429 Too Many Requests', zaiError('1302'), ['retry-after: 0']);

  it('is waited out once on the same lane where that is switched on', async () => {
    const policy = { backoff: true };
    await using world = await startTwoLanes(
      (call, i) => (i === 0 ? BUSY : answerMessage)(call, i),
      answerMessage,
      {
        policy,
      },
    );
    expect((await ask(world)).status).toBe('200 OK');
    expect(attemptsOf(await world.completion())).toEqual(['zai 429 limit', 'zai 200 -']);
  });

  it('is waited out on Anthropic’s lane, too, and then the answer is the client’s', async () => {
    await using world = await startTwoLanes(answerMessage, BUSY, { policy: { backoff: true } });
    expect((await ask(world, SONNET_REQUEST)).status).toBe('429 Too Many Requests');
    expect(attemptsOf(await world.completion())).toEqual(['anth 429 limit', 'anth 429 limit']);
  });

  it('comes before the fallback, and a second refusal goes there', async () => {
    await using world = await startTwoLanes(BUSY, answerMessage, { policy: { backoff: true } });
    expect((await ask(world)).status).toBe('200 OK');
    expect(attemptsOf(await world.completion())).toEqual(['zai 429 limit', 'zai 429 limit', 'anth 200 -']);
  });

  it.each([
    ['longer than ten seconds', 'retry-after: 11', true],
    ['of a proxy that was not told to wait', 'retry-after: 0', false],
  ])('%s is not waited out', async (_, header, backoff) => {
    await using world = await startTwoLanes(
      fails('429 Too Many Requests', zaiError('1302'), [header]),
      answerMessage,
      { policy: { backoff } },
    );
    expect((await ask(world)).status).toBe('200 OK');
    expect(attemptsOf(await world.completion())).toEqual(['zai 429 limit', 'anth 200 -']);
  });

  it('reaches the client of Anthropic’s lane as Anthropic stated it', async () => {
    await using world = await startTwoLanes(
      answerMessage,
      fails('429 Too Many Requests', '{}', [
        'retry-after: 2094',
        'anthropic-ratelimit-unified-status: rejected',
      ]),
    );
    await using client = await connectClient(world.port);
    client.send(SONNET_REQUEST);
    const { headers } = await client.answer();
    expect([valueOf(headers, 'retry-after'), valueOf(headers, 'anthropic-ratelimit-unified-status')]).toEqual(
      ['2094', 'rejected'],
    );
  });
});

it.each(['301 Moved', '302 Found', '307 Temporary Redirect', '308 Permanent Redirect'])(
  'neither follows nor passes on a redirect of Z.AI (%s)',
  async (status) => {
    await using world = await startTwoLanes((call) =>
      call.answer(status, ['location: https://elsewhere.test/'], 'elsewhere'),
    );
    const { body, ...answer } = await ask(world);
    expect(answer.status).toBe('502 Bad Gateway');
    expect(JSON.parse(body)).toMatchObject({ type: 'error', error: { type: 'api_error' } });
    expect(body).not.toContain('elsewhere');
    expect(world.anth.calls).toEqual([]);
    expect(await world.completion()).toMatchObject({
      status: 502,
      reason: 'upstream_error',
      err_type: 'protocol',
      attempts: [{ provider: 'zai', status: Number(status.slice(0, 3)), err_type: 'protocol' }],
    });
  },
);

it('passes a redirect of Anthropic on: its client asked for it', async () => {
  await using world = await startTwoLanes(answerMessage, (call) =>
    call.answer('307 Temporary Redirect', ['location: /elsewhere']),
  );
  expect((await ask(world, SONNET_REQUEST)).status).toBe('307 Temporary Redirect');
});
