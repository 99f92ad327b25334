import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { OperatorError } from '../../errors.ts';
import { CODES, fillIn, type IssuerWorld, startIssuer } from '../testing/issuer-world.ts';
import { loginByDevice } from './device-login.ts';
import { createIssuerClient } from './issuer-client.ts';

let world: IssuerWorld;
let slept: number[];
let userCode: string;
let timesAway: number;
beforeEach(async () => {
  world = await startIssuer();
  slept = [];
  userCode = '';
  timesAway = 0;
});
afterEach(() => world[Symbol.asyncDispose]());

/** Logs in while the clock of the world passes as the client sleeps; `step` happens in each of its naps. */
function login(step: (nap: number) => Promise<unknown> | void, url = world.url) {
  let now = 0;
  return loginByDevice(createIssuerClient(url, AbortSignal.timeout(20_000)), {
    show: async ({ user_code }) => {
      userCode = user_code;
    },
    away: () => void timesAway++,
    async sleep(ms) {
      slept.push(ms / 1000);
      now += ms;
      world.pass(ms);
      await step(slept.length);
    },
    monotonic: () => now,
  });
}

const answer = (fields: Record<string, string>) =>
  fillIn(world, '/device', { user_code: userCode, ...fields });

it('polls at the pace of the issuer until somebody approves', async () => {
  const text = await login((nap) => {
    return nap === 3 ? answer({ invite_code: CODES.open, answer: 'approve' }) : undefined;
  });
  expect(JSON.parse(text)).toMatchObject({ license: { plan: 'trial' } });
  expect(slept).toEqual([5, 5, 5]);
});

it('slows down by five seconds, for good, each time it is told to', async () => {
  await login((nap) => {
    // The clock of the issuer is put back: to it, the polls come too soon.
    if (nap === 2 || nap === 3) world.pass(-3_000);
    return nap === 5 ? answer({ invite_code: CODES.open, answer: 'approve' }) : undefined;
  });
  expect(slept).toEqual([5, 5, 10, 15, 15]);
});

it.each([
  ['somebody denies', (nap: number) => (nap === 1 ? answer({ answer: 'deny' }) : undefined), 'access_denied'],
  ['nobody approves in time', () => undefined, 'expired_token'],
  [
    'the issuer was started anew',
    (nap: number) => (nap === 2 ? world.restart() : undefined),
    'nobody approved',
  ],
])('ends where %s', async (_name, step, sentence) => {
  const failed = await login(step).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(OperatorError);
  expect(failed).toMatchObject({ exitCode: 1, message: expect.stringContaining(sentence) });
});

it('asks ever more rarely while nobody answers, and at the old pace when somebody does', async () => {
  const { slept: naps } = await loginAgainst([
    START,
    null,
    null,
    { error: 'authorization_pending' },
    { error: 'too_many_requests' },
    { error: 'authorization_pending' },
    { error: 'access_denied', error_description: 'no' },
  ]);
  expect(naps).toEqual([5, 10, 20, 5, 70, 5]);
  expect(timesAway).toBe(1);
});

it('waits for nobody longer than half a minute, nor beyond the life of the code', async () => {
  const away = Array.from({ length: 20 }, () => null);
  const { failed, slept: naps } = await loginAgainst([{ ...START, interval: 2, expires_in: 100 }, ...away]);
  expect(naps).toEqual([2, 4, 8, 16, 30, 30, 10]);
  expect(failed).toMatchObject({ exitCode: 1, message: expect.stringContaining('nobody approved') });
});

it.each([
  ['invalid_grant', 'The issuer was restarted, or the code was used'],
  ['access_denied', 'audit log'],
  ['invalid_request', /^Nothing was stored\.$/],
])('says what to do about %s, and of an audit log only where the reason is in it', async (error, hint) => {
  const { failed } = await loginAgainst([START, { error, error_description: 'no' }]);
  const expected = typeof hint === 'string' ? expect.stringContaining(hint) : expect.stringMatching(hint);
  expect(failed).toMatchObject({ exitCode: 1, hint: expected });
  expect(timesAway).toBe(0);
});

it('keeps for good the pace that it was slowed down to, whoever is away meanwhile', async () => {
  const slower = { error: 'slow_down' };
  const pending = { error: 'authorization_pending' };
  const denied = { error: 'access_denied' };
  const { slept: naps } = await loginAgainst([
    { ...START, interval: 5 },
    null,
    slower,
    pending,
    null,
    pending,
    denied,
  ]);
  expect(naps).toEqual([5, 10, 10, 10, 20, 10]);
});

const START = {
  device_code: 'x',
  user_code: 'BCDF-GHJK',
  verification_uri: 'http://127.0.0.1:1/device',
  expires_in: 600,
};

const retryAfter = (given: object): Record<string, string> =>
  JSON.stringify(given).includes('too_many_requests') ? { 'retry-after': '70' } : {};

/** Logs in at a server that gives these answers, one after the other; at null it breaks off. */
async function loginAgainst(answers: (object | null)[]) {
  await using server = await startServer((response) => {
    const given = answers.shift();
    if (given === null || given === undefined) response.destroy();
    else response.writeHead('error' in given ? 400 : 200, retryAfter(given)).end(JSON.stringify(given));
  });
  const failed = await login(() => {}, server.url).catch((error: unknown) => error);
  return { failed, slept };
}

it.each([
  'file:///etc/passwd',
  'javascript:alert(1)',
  'http://evil.example/',
  'https://me:pw@evil.example/',
  '--help',
])('sends nobody to %s', async (uri) => {
  await using server = await startServer((response) => {
    response.end(
      JSON.stringify({ device_code: 'x', user_code: 'x', verification_uri: uri, expires_in: 600 }),
    );
  });
  const failed = await login(() => {}, server.url).catch((error: unknown) => error);
  expect(failed).toMatchObject({ exitCode: 3, message: expect.stringContaining('is no issuer') });
  expect(userCode).toBe('');
});

async function startServer(
  listener: (response: Parameters<NonNullable<Parameters<typeof createServer>[1]>>[1]) => void,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server: Server = createServer((request, response) => {
    request.resume();
    listener(response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}
