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
beforeEach(async () => {
  world = await startIssuer();
  slept = [];
  userCode = '';
});
afterEach(() => world[Symbol.asyncDispose]());

/** Logs in while the clock of the world passes as the client sleeps; `step` happens in each of its naps. */
function login(step: (nap: number) => Promise<unknown> | void, url = world.url) {
  let now = 0;
  return loginByDevice(createIssuerClient(url, AbortSignal.timeout(20_000)), {
    show: async ({ user_code }) => {
      userCode = user_code;
    },
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
  const { license } = await login((nap) => {
    return nap === 3 ? answer({ invite_code: CODES.open, answer: 'approve' }) : undefined;
  });
  expect(license.plan).toBe('trial');
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

it('asks ever more rarely while nobody answers, and goes on when somebody does', async () => {
  const answers = [
    {
      device_code: 'x',
      user_code: 'BCDF-GHJK',
      verification_uri: 'http://127.0.0.1:1/device',
      expires_in: 600,
    },
    null,
    null,
    { error: 'authorization_pending' },
    { error: 'too_many_requests' },
    { error: 'access_denied', error_description: 'no' },
  ];
  await using server = await startServer((response) => {
    const given = answers.shift();
    if (given === null || given === undefined) response.destroy();
    else response.writeHead('error' in given ? 400 : 200, { 'retry-after': '70' }).end(JSON.stringify(given));
  });
  const failed = await login(() => {}, server.url).catch((error: unknown) => error);
  expect(failed).toMatchObject({ exitCode: 1 });
  expect(slept).toEqual([5, 10, 20, 20, 70]);
});

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
