/** A fault of our own costs one exchange its answer, and nobody anything else. */
import { expect, it } from 'vitest';
import type { CompletionEvent } from '../protocol/usage-event.ts';
import { ANTH } from './testing/providers.ts';
import { connectClient, type RawClient } from './testing/raw-client.ts';
import { type Call, startRawUpstream } from './testing/raw-upstream.ts';
import { HAIKU_STREAM_REQUEST, SONNET_STREAM_REQUEST } from './testing/requests.ts';
import { EVENT_STREAM, START, WHOLE_STREAM } from './testing/streams.ts';
import { until } from './testing/wait.ts';
import { startWorld } from './testing/world.ts';
import type { ExchangeObserver, Router } from './types.ts';

const REST = WHOLE_STREAM.slice(START.length);

/** What fails for haiku alone: a bystander asks for sonnet. */
function trip({ model }: { readonly model: string | null }): void {
  if (model?.includes('haiku') === true) throw new Error('made-up fault');
}

/** A gateway in which one thing throws, with a bystander whose stream is under way; gives what was recorded. */
async function withBystander(
  faulty: { readonly router?: () => void; readonly observer?: ExchangeObserver },
  suffer: (client: RawClient) => Promise<void>,
): Promise<{ sufferer: CompletionEvent; log: readonly string[] }> {
  const completions: CompletionEvent[] = [];
  const isBystander = (call: Call): boolean => call.request.body().includes('sonnet');
  await using upstream = await startRawUpstream((call) => {
    call.open('200 OK', [EVENT_STREAM]);
    call.chunk(isBystander(call) ? START : WHOLE_STREAM);
    if (!isBystander(call)) call.endChunks();
  });
  const router: Router = (facts) => {
    if (faulty.router !== undefined) trip(facts);
    return {
      provider: { ...ANTH, origin: upstream.origin },
      decision: 'to_anthropic',
      alternatives: [],
    };
  };
  const recorder: ExchangeObserver = { onCompletion: (event) => void completions.push(event) };
  await using world = await startWorld({
    anth: upstream.origin,
    router,
    gateway: { observers: [recorder, ...(faulty.observer === undefined ? [] : [faulty.observer])] },
  });
  await using bystander = await connectClient(world.port);
  bystander.send(SONNET_STREAM_REQUEST);
  const call = await upstream.call();
  const stream = await bystander.head();
  await until(() => stream.bytes === START.length, 'the start of the bystander\u2019s stream');

  await using client = await connectClient(world.port);
  client.send(HAIKU_STREAM_REQUEST);
  await suffer(client);
  const sufferer = await until(() => completions[0], 'the completion of what failed');
  await until(() => world.gateway.inflight() === 1, 'the end of what failed');
  await until(() => world.log.length > 0, 'a word of it');

  call.chunk(REST);
  call.endChunks();
  expect((await bystander.answer()).body().toString()).toBe(WHOLE_STREAM);
  await until(() => world.gateway.inflight() === 0, 'the end of the bystander');
  expect(completions.map(({ model, reason }) => [model, reason])).toEqual([
    ['claude-haiku-4-5', sufferer.reason],
    ['claude-sonnet-5', 'ok'],
  ]);
  return { sufferer, log: [...world.log] };
}

async function gets500(client: RawClient): Promise<void> {
  const answer = await client.answer();
  expect(answer.startLine).toBe('HTTP/1.1 500 Internal Server Error');
  expect(JSON.parse(answer.body().toString())).toEqual({
    type: 'error',
    error: { type: 'api_error', message: 'ccp: a fault inside the proxy; its own messages say more' },
  });
}

it.each([
  ['a router', { router: () => {} }],
  ['an observer of decisions', { observer: { onDecision: trip } }],
  ['an observer of the starts of streams', { observer: { onStreamStart: trip } }],
])('%s that throws is 500 to its client, one completion, and a line with the stack', async (_, faulty) => {
  const { sufferer, log } = await withBystander(faulty, gets500);
  expect(sufferer).toMatchObject({ status: 500, reason: 'blocked', err_type: 'protocol' });
  expect(log).toEqual([
    expect.stringMatching(/^a request failed inside the proxy: Error: made-up fault\n +at /),
  ]);
});

it('an endpoint of our own that throws is 500 to its client, and a line with the stack', async () => {
  const handle = (): never => {
    throw new RangeError('made-up fault');
  };
  await using world = await startWorld({
    anth: 'http://127.0.0.1:1',
    gateway: {
      endpoints: [
        { method: 'GET', path: '/v1/quotas', handle },
        { method: 'GET', path: '/healthz', handle: async () => handle() },
      ],
    },
  });
  for (const path of ['/v1/quotas', '/healthz']) {
    await using client = await connectClient(world.port);
    client.send(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`);
    await gets500(client);
  }
  const told = expect.stringMatching(/^a request failed inside the proxy: RangeError: made-up fault\n +at /);
  expect(world.log).toEqual([told, told]);
  expect(world.completions).toEqual([]);
});

it('an observer of completions that throws does not touch the answer', async () => {
  const { sufferer, log } = await withBystander({ observer: { onCompletion: trip } }, async (client) => {
    expect((await client.answer()).body().toString()).toBe(WHOLE_STREAM);
  });
  expect(sufferer).toMatchObject({ status: 200, reason: 'ok' });
  expect(log).toEqual([expect.stringContaining('made-up fault')]);
});
