/** The official SDK gets the same through the proxy as without it, and the upstream sees the same of it. */
import Anthropic, { APIError } from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { type Message, valueOf } from './testing/http1-message.ts';
import { EVENT_STREAM, START, STREAMS } from './testing/streams.ts';
import { JSON_TYPE, type Respond, startTwoLanes } from './testing/two-lanes.ts';
import { until } from './testing/wait.ts';

const QUESTION = {
  model: 'claude-sonnet-5',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'Say ok' }],
};

interface Sight<T> {
  readonly result: T;
  /** What the upstream saw. */
  readonly requests: readonly object[];
}

/** Does the same through the proxy and straight at the upstream, which answers by the index of the call. */
async function both<T>(
  respond: Respond,
  use: (client: Anthropic) => Promise<T>,
  maxRetries = 0,
): Promise<{ readonly proxied: Sight<T>; readonly straight: Sight<T> }> {
  const sight = async (path: 'proxied' | 'straight'): Promise<Sight<T>> => {
    await using world = await startTwoLanes(() => {}, respond);
    const baseURL = path === 'proxied' ? `http://127.0.0.1:${world.port}` : world.anth.origin;
    const client = new Anthropic({
      baseURL,
      apiKey: 'made-up',
      authToken: null,
      maxRetries,
      logLevel: 'off',
    });
    const result = await use(client);
    return { result, requests: world.anth.calls.map(({ request }) => seen(request)) };
  };
  return { proxied: await sight('proxied'), straight: await sight('straight') };
}

/** A request without what belongs to its connection. */
function seen(request: Message): object {
  const { startLine, headers } = request;
  const names = headers.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  const ofConnection = new Set(['host', 'connection']);
  return {
    startLine,
    headers: names
      .filter((name) => !ofConnection.has(name))
      .map((name) => `${name}: ${valueOf(headers, name)}`)
      .toSorted(),
    body: request.body().toString(),
  };
}

/** What went wrong, in everything that the SDK tells its user. */
async function failureOf(promise: Promise<unknown>): Promise<object> {
  try {
    return { gave: await promise };
  } catch (error) {
    if (!(error instanceof APIError)) return { error: String(error) };
    const { constructor, status, message, error: body, requestID, headers } = error;
    const stated = ['retry-after', 'x-should-retry', 'anthropic-ratelimit-unified-status'];
    return {
      class: constructor.name,
      status,
      message,
      body,
      requestID,
      stated: stated.map((name) => headers?.get(name)),
    };
  }
}

/** All that a stream gave, and how it ended. */
async function drained(client: Anthropic): Promise<object> {
  const events: unknown[] = [];
  const reading = async (): Promise<string> => {
    for await (const event of await client.messages.create({ ...QUESTION, stream: true })) events.push(event);
    return 'the end';
  };
  return { events, ending: await failureOf(reading()) };
}

const MESSAGE = JSON.stringify({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-5',
  content: [{ type: 'text', text: 'ok – “é” 🎉' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 3, output_tokens: 4 },
});
const streamed =
  (stream: Buffer): Respond =>
  (call) =>
    call.answerInPieces('200 OK', [EVENT_STREAM, 'request-id: req_1'], stream, 50);
const recorded = (name: string): Buffer => STREAMS.get(name) ?? expect.fail(name);

describe('the official SDK', () => {
  it('creates a message', async () => {
    const { proxied, straight } = await both(
      (call) => call.answer('200 OK', [JSON_TYPE, 'request-id: req_1'], MESSAGE),
      async (client) => {
        const { data, request_id } = await client.messages.create(QUESTION).withResponse();
        return { data, request_id };
      },
    );
    expect(proxied).toEqual(straight);
    expect(proxied.result).toMatchObject({ request_id: 'req_1', data: { usage: { output_tokens: 4 } } });
  });

  it.each([...STREAMS].filter(([, { length }]) => length < 20_000))(
    'reads the stream %s',
    async (_, stream) => {
      const { proxied, straight } = await both(streamed(stream), drained);
      expect(proxied).toEqual(straight);
      expect(proxied.requests).toHaveLength(1);
    },
  );

  it('holds a conversation with a tool', async () => {
    const { proxied, straight } = await both(
      (call, index) => streamed(recorded(index === 0 ? 'tool-use' : 'text'))(call, index),
      async (client) => {
        const tools = [
          {
            name: 'get_weather',
            description: 'd',
            input_schema: { type: 'object' as const, properties: {} },
          },
        ];
        const asked = await client.messages.stream({ ...QUESTION, tools }).finalMessage();
        const use = asked.content.find(({ type }) => type === 'tool_use');
        if (use?.type !== 'tool_use') return expect.fail('no tool was used');
        const result = { type: 'tool_result' as const, tool_use_id: use.id, content: 'sunny' };
        const messages = [
          ...QUESTION.messages,
          { role: 'assistant' as const, content: asked.content },
          { role: 'user' as const, content: [result] },
        ];
        return [asked, await client.messages.stream({ ...QUESTION, tools, messages }).finalMessage()];
      },
    );
    expect(proxied).toEqual(straight);
    expect(proxied.result.map(({ stop_reason }) => stop_reason)).toEqual(['tool_use', 'end_turn']);
  });

  it('counts tokens and lists models', async () => {
    const { max_tokens: _, ...countable } = QUESTION;
    const { proxied, straight } = await both(
      (call, index) =>
        call.answer(
          '200 OK',
          [JSON_TYPE],
          index === 0 ? '{"input_tokens":2095}' : '{"data":[{"id":"a","type":"model"}],"has_more":false}',
        ),
      async (client) => {
        const counted = await client.messages.countTokens(countable);
        return { counted, models: (await client.models.list({ limit: 1000 })).data };
      },
    );
    expect(proxied).toEqual(straight);
    expect(proxied.result).toEqual({ counted: { input_tokens: 2095 }, models: [{ id: 'a', type: 'model' }] });
  });

  it.each([
    ['400 Bad Request', 'invalid_request_error', []],
    ['401 Unauthorized', 'authentication_error', []],
    ['403 Forbidden', 'permission_error', []],
    ['404 Not Found', 'not_found_error', []],
    ['413 Content Too Large', 'request_too_large', []],
    [
      '429 Too Many Requests',
      'rate_limit_error',
      ['retry-after: 2094', 'anthropic-ratelimit-unified-status: rejected'],
    ],
    ['500 Internal Server Error', 'api_error', ['x-should-retry: true']],
    ['529 Overloaded', 'overloaded_error', []],
  ])('reports %s', async (status, type, headers) => {
    const body = JSON.stringify({
      type: 'error',
      error: { type, message: 'prompt is too long: 208310 tokens' },
    });
    const { proxied, straight } = await both(
      (call) => call.answer(status, [JSON_TYPE, 'request-id: req_1', ...headers], body),
      (client) => failureOf(client.messages.create(QUESTION)),
    );
    expect(proxied).toEqual(straight);
    expect(proxied.result).toMatchObject({ status: Number(status.slice(0, 3)), requestID: 'req_1' });
  });

  it('reports a connection that breaks in the midst of a stream', async () => {
    const { proxied, straight } = await both((call) => {
      call.open('200 OK', [EVENT_STREAM]);
      call.chunk(START);
      call.socket.end();
    }, drained);
    expect(proxied).toEqual(straight);
    expect(proxied.result).toMatchObject({
      events: [{ type: 'message_start' }],
      ending: { error: expect.anything() },
    });
  });

  it('retries by itself, as often as without the proxy', async () => {
    const { proxied, straight } = await both(
      (call, index) =>
        index < 2
          ? call.answer('529 Overloaded', ['retry-after-ms: 1'], '{}')
          : call.answer('200 OK', [JSON_TYPE], MESSAGE),
      (client) => client.messages.create(QUESTION),
      2,
    );
    expect(proxied).toEqual(straight);
    expect(proxied.requests).toHaveLength(3);
  });

  it('aborts, and the upstream hears of it', async () => {
    await using world = await startTwoLanes(
      () => {},
      (call) => {
        call.open('200 OK', [EVENT_STREAM]);
        call.chunk(START);
      },
    );
    const client = new Anthropic({
      baseURL: `http://127.0.0.1:${world.port}`,
      apiKey: 'made-up',
      maxRetries: 0,
    });
    const stream = await client.messages.create({ ...QUESTION, stream: true });
    const types: string[] = [];
    for await (const { type } of stream) {
      types.push(type);
      stream.controller.abort();
    }
    expect(types).toEqual(['message_start']);
    await until(() => world.anth.calls[0]?.closedAt, 'the end at the upstream');
    expect(await world.completion()).toMatchObject({ reason: 'client_abort', status: 200 });
  });
});
