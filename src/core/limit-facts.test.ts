/** What observers are told of attempts, answers and limits, and what a gate keeps an exchange from. */
import { describe, expect, it } from 'vitest';
import { isPassable, type Standing } from '../protocol/standing.ts';
import { valueOf } from './testing/http1-message.ts';
import { ANTH } from './testing/providers.ts';
import { connectClient } from './testing/raw-client.ts';
import { SONNET_REQUEST } from './testing/requests.ts';
import {
  answerMessage,
  ask,
  fails,
  MESSAGE,
  NO_FALLBACK,
  startTwoLanes,
  zaiError,
} from './testing/two-lanes.ts';
import type { ExchangeObserver, Gate } from './types.ts';

/** Everything that this page is about, a line each, in the order in which it was told. */
function listener() {
  const heard: string[] = [];
  const observer: ExchangeObserver = {
    onDecision: ({ decision }) => void heard.push(`decision ${decision}`),
    onPlan: ({ lane, decision }) => void heard.push(`plan ${lane} ${decision}`),
    onAttempt: ({ lane, decision, model, op }) =>
      void heard.push(`attempt ${lane} ${decision} ${model} ${op}`),
    onAnswer: ({ lane, status, headers }) => {
      const index = headers.indexOf('x-told');
      heard.push(`answer ${lane} ${status}${index < 0 ? '' : ` ${headers[index + 1]}`}`);
    },
    onLimit: ({ lane, error, sentOn, ms }) => {
      expect(ms).toBeGreaterThan(0);
      heard.push(
        `limit ${lane} ${error.kind} ${error.retryAfterMs ?? '-'} ${sentOn ? 'sent on' : 'passed on'}`,
      );
    },
    onCompletion: ({ decision }) => void heard.push(`completion ${decision}`),
  };
  return { heard, options: { gateway: { observers: [observer] } } };
}

describe('an observer hears of', () => {
  it('the attempt and the head of its answer', async () => {
    const { heard, options } = listener();
    await using world = await startTwoLanes(
      (call) => call.answer('200 OK', ['content-type: application/json', 'x-told: 1'], MESSAGE),
      answerMessage,
      options,
    );
    await ask(world);
    await expect
      .poll(() => heard)
      .toEqual([
        'decision to_zai',
        'attempt zai to_zai claude-haiku-4-5 nonstream',
        'answer zai 200 1',
        'completion to_zai',
      ]);
  });

  it('a limit that was held back, before the other lane is tried', async () => {
    const { heard, options } = listener();
    await using world = await startTwoLanes(
      fails('429 No', zaiError('1308'), ['retry-after: 7']),
      answerMessage,
      options,
    );
    await ask(world);
    await expect
      .poll(() => heard)
      .toEqual([
        'decision to_zai',
        'attempt zai to_zai claude-haiku-4-5 nonstream',
        'answer zai 429',
        'plan anthropic fallback_limit',
        'limit zai window 7000 sent on',
        'attempt anthropic fallback_limit claude-haiku-4-5 nonstream',
        'answer anthropic 200',
        'completion fallback_limit',
      ]);
  });

  it('a limit that was passed on, once', async () => {
    const { heard, options } = listener();
    await using world = await startTwoLanes(fails('429 No', zaiError('1302')), fails('429 No', '{}'), {
      ...options,
      ...NO_FALLBACK,
    });
    await ask(world);
    await ask(world, SONNET_REQUEST);
    await expect
      .poll(() => heard.filter((line) => line.startsWith('limit')))
      .toEqual(['limit zai throttle - passed on', 'limit anthropic throttle - passed on']);
  });

  it('a limit inside a success', async () => {
    const { heard, options } = listener();
    await using world = await startTwoLanes(fails('200 OK', zaiError('1308')), answerMessage, {
      ...options,
      ...NO_FALLBACK,
    });
    await ask(world);
    await expect.poll(() => heard).toContain('limit zai window - passed on');
  });

  it('no limit where the failure is another', async () => {
    const { heard, options } = listener();
    await using world = await startTwoLanes(fails('500 No', '{}'), answerMessage, options);
    await ask(world);
    await expect.poll(() => heard).toContain('completion fallback_net');
    expect(heard.join()).not.toContain('limit zai');
  });
});

describe('a gate', () => {
  it('keeps a lane from taking over, as it stands when it is asked', async () => {
    const standing: Standing = { kind: 'block', opening: () => ({ inMs: 1, at: 1, why: '' }) };
    const asked: string[] = [];
    const gate: Gate = (lane, { model, op }) => {
      asked.push(`${lane} ${model} ${op}`);
      return asked.length === 1 ? standing : { kind: 'open' };
    };
    await using world = await startTwoLanes(fails('429 No', zaiError('1308')), answerMessage, {
      gateway: { gate },
    });
    expect((await ask(world)).status).toBe('429 No');
    expect((await ask(world)).status).toBe('200 OK');
    // Once each: what was said when the failure was judged holds.
    expect(asked).toEqual(Array(2).fill('anthropic claude-haiku-4-5 nonstream'));
    expect(world.completions.map(({ decision }) => decision)).toEqual(['to_zai', 'fallback_limit']);
  });

  it('is told in the same turn what follows from its word', async () => {
    const { heard, options } = listener();
    const gate: Gate = (lane) => {
      heard.push(`asked for ${lane}`);
      queueMicrotask(() => heard.push('later'));
      return { kind: 'open' };
    };
    await using world = await startTwoLanes(fails('429 No', zaiError('1308')), answerMessage, {
      gateway: { ...options.gateway, gate },
    });
    await ask(world);
    const at = heard.indexOf('asked for anthropic');
    expect(heard.slice(at, at + 2)).toEqual(['asked for anthropic', 'plan anthropic fallback_limit']);
  });

  it.each([
    ['block', '200 OK'],
    ['cooldown', '429 No'],
  ] as const)('that says %s of the lane that the exchange is on: %s', async (kind, status) => {
    const opening = () => ({ inMs: 1, at: 1, why: '' });
    const standing: Standing = kind === 'block' ? { kind, opening } : { kind };
    await using world = await startTwoLanes(fails('429 No', zaiError('1308')), answerMessage, {
      // Two providers of one lane: the room that is missing may be what this exchange has taken.
      zaiProvider: { lane: 'anthropic' },
      gateway: { gate: () => standing },
    });
    expect((await ask(world)).status).toBe(status);
  });

  it('tells passable lanes from others', () => {
    const kinds: Standing['kind'][] = ['open', 'warn', 'cooldown', 'block'];
    const opening = () => ({ inMs: 1, at: 1, why: '' });
    expect(kinds.filter((kind) => isPassable(kind === 'block' ? { kind, opening } : { kind }))).toEqual([
      'open',
      'warn',
    ]);
  });
});

it('an answer of our own carries the headers of its refusal', async () => {
  await using world = await startTwoLanes(answerMessage, answerMessage, {
    router: () => ({
      provider: ANTH,
      decision: 'quota_block',
      alternatives: [],
      refusal: {
        status: 429,
        type: 'billing_error',
        message: 'used up',
        errType: 'limit',
        headers: ['retry-after', '9', 'x-should-retry', 'false'],
      },
    }),
  });
  await using client = await connectClient(world.port);
  client.send(SONNET_REQUEST);
  const answer = await client.answer();
  expect(answer.startLine).toBe('HTTP/1.1 429 Too Many Requests');
  expect(valueOf(answer.headers, 'retry-after')).toBe('9');
  expect(valueOf(answer.headers, 'x-should-retry')).toBe('false');
  expect(answer.body().toString()).toBe(
    '{"type":"error","error":{"type":"billing_error","message":"ccp: used up"}}',
  );
  expect(await world.completion()).toMatchObject({
    decision: 'quota_block',
    reason: 'blocked',
    err_type: 'limit',
    status: 429,
    attempts: [],
  });
});
