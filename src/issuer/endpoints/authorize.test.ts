import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  CODES,
  fillIn,
  type IssuerWorld,
  isGenuine,
  type Reply,
  startIssuer,
} from '../testing/issuer-world.ts';

let world: IssuerWorld;
beforeEach(async () => {
  world = await startIssuer();
});
afterEach(() => world[Symbol.asyncDispose]());

const REDIRECT = 'http://127.0.0.1:49152/callback';
const VERIFIER = randomBytes(32).toString('base64url');
const STATE = randomBytes(32).toString('base64url');
const REQUEST = {
  response_type: 'code',
  client_id: 'ccp',
  redirect_uri: REDIRECT,
  state: STATE,
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
  code_challenge_method: 'S256',
};

const pageOf = (change: Record<string, string> = {}): string =>
  `/authorize?${new URLSearchParams({ ...REQUEST, ...change }).toString()}`;

/** Where a reply sends the browser; null where nowhere. */
function destination({ headers }: Reply): URL | null {
  return URL.parse(headers.get('location') ?? '');
}

async function approved(change: Record<string, string> = {}): Promise<string> {
  const reply = await fillIn(world, pageOf(change), {
    invite_code: CODES.open,
    email: '',
    answer: 'approve',
  });
  return destination(reply)?.searchParams.get('code') ?? '';
}

const redeem = (change: Record<string, string>): Promise<Reply> =>
  world.post(
    '/v1/token',
    new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'ccp',
      redirect_uri: REDIRECT,
      code_verifier: VERIFIER,
      ...change,
    }),
  );

describe('the loopback redirect', () => {
  it('leads back with a code and the state, and the code to a licence, once', async () => {
    const reply = await fillIn(world, pageOf(), { invite_code: CODES.open, answer: 'approve' });
    expect(reply.status).toBe(303);
    const url = destination(reply);
    expect(`${url?.origin}${url?.pathname}`).toBe(REDIRECT);
    expect(url?.searchParams.get('state')).toBe(STATE);
    const code = url?.searchParams.get('code') ?? '';
    const licence = await redeem({ code });
    expect([licence.status, isGenuine(licence)]).toEqual([200, true]);
    expect(await redeem({ code })).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
  });

  it('leads back with access_denied where the person denies', async () => {
    const url = destination(await fillIn(world, pageOf(), { answer: 'deny' }));
    expect([...(url?.searchParams ?? [])]).toEqual([
      ['error', 'access_denied'],
      ['state', STATE],
    ]);
  });

  it('shows the form again where the invite is not good', async () => {
    const { status, text } = await fillIn(world, pageOf(), {
      invite_code: 'NO-SUCH-INVITE',
      answer: 'approve',
    });
    expect(status).toBe(400);
    expect(text).toContain('No such invite code');
  });

  it('lets its form lead to itself and to the program that asked, as browsers hold redirects to that, too', async () => {
    const { headers } = await world.get(pageOf());
    expect(headers.get('content-security-policy')).toContain("form-action 'self' http://127.0.0.1:49152;");
  });

  it.each([
    'https://evil.example/callback',
    'http://evil.example:80/callback',
    'http://localhost:49152/callback',
    'http://127.0.0.1/callback',
    'http://127.0.0.1:0/callback',
    'http://127.0.0.1:99999/callback',
    'http://127.0.0.1:49152@evil.example/callback',
    'http://127.0.0.1:49152.evil.example/callback',
    'http://user@127.0.0.1:49152/callback',
    'http://127.0.0.1:49152/callback#fragment',
    'http://127.0.0.1:49152/callback?next=x',
    'http://127.0.0.1:49152\\@evil.example/',
    'http://127.1:49152/callback',
    'http://0x7f000001:49152/callback',
    'HTTP://127.0.0.1:49152/callback',
    'javascript:alert(1)//127.0.0.1:49152/',
    'http://127.0.0.1:49152/x\r\nset-cookie: a=b',
    '',
  ])('sends nobody to %j', async (redirect_uri) => {
    const shown = await world.get(pageOf({ redirect_uri }));
    expect([shown.status, destination(shown)]).toEqual([400, null]);
    // Nor where the form that a page carried was changed.
    const sent = await fillIn(world, pageOf(), { redirect_uri, invite_code: CODES.open, answer: 'approve' });
    expect([sent.status, destination(sent)]).toEqual([400, null]);
  });

  it('takes an IPv6 loopback address', async () => {
    const redirect_uri = 'http://[::1]:49152/callback';
    const code = await approved({ redirect_uri });
    expect((await redeem({ code, redirect_uri })).status).toBe(200);
  });

  it.each([
    ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
    ['no PKCE', { code_challenge: '' }, 'invalid_request'],
    ['PKCE in clear', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['a challenge that is no SHA-256', { code_challenge: 'short' }, 'invalid_request'],
    ['a state that can be guessed', { state: '1' }, 'invalid_request'],
  ])('leads back with an error where the request has %s', async (_name, change, error) => {
    const reply = await world.get(pageOf(change));
    expect([reply.status, destination(reply)?.searchParams.get('error')]).toEqual([303, error]);
  });

  it.each([
    ['another client', { client_id: 'evil' }],
    ['no client', { client_id: '' }],
  ])('shows only a page where the request is of %s', async (_name, change) => {
    expect((await world.get(pageOf(change))).status).toBe(400);
  });

  it('takes no parameter twice', async () => {
    const reply = await world.get(`${pageOf()}&redirect_uri=http://127.0.0.1:1/`);
    expect([reply.status, destination(reply)]).toEqual([400, null]);
  });
});

describe('a code', () => {
  it.each([
    ['the verifier is another', { code_verifier: randomBytes(32).toString('base64url') }],
    ['the redirect address is another', { redirect_uri: 'http://127.0.0.1:49152/other' }],
  ])('is worth nothing where %s, and then never again', async (_name, change) => {
    const code = await approved();
    expect(await redeem({ code, ...change })).toMatchObject({
      status: 400,
      json: { error: 'invalid_grant' },
    });
    expect(await redeem({ code })).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
  });

  it('is worth nothing after a minute', async () => {
    const [fresh, late] = [await approved(), await approved()];
    world.pass(59_999);
    expect((await redeem({ code: fresh })).status).toBe(200);
    world.pass(1);
    expect((await redeem({ code: late })).json['error']).toBe('invalid_grant');
  });

  it.each([
    ['another grant type', { grant_type: 'refresh_token' }, 400, 'unsupported_grant_type'],
    ['another client', { client_id: 'evil' }, 401, 'invalid_client'],
    ['a verifier that is too short', { code_verifier: 'x' }, 400, 'invalid_request'],
  ])('is refused with %s', async (_name, change, status, error) => {
    expect(await redeem({ code: 'x', ...change })).toMatchObject({ status, json: { error } });
  });
});
