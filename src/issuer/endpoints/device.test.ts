import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  CODES,
  fillIn,
  type IssuerWorld,
  isGenuine,
  type Reply,
  readPage,
  startIssuer,
} from '../testing/issuer-world.ts';

let world: IssuerWorld;
beforeEach(async () => {
  world = await startIssuer();
});
afterEach(() => world[Symbol.asyncDispose]());

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

async function start(): Promise<{ deviceCode: string; userCode: string }> {
  const { json } = await world.post('/v1/device/code', new URLSearchParams({ client_id: 'ccp' }));
  return { deviceCode: String(json['device_code']), userCode: String(json['user_code']) };
}

const poll = (device_code: string): Promise<Reply> =>
  world.post('/v1/device/token', new URLSearchParams({ grant_type: GRANT, client_id: 'ccp', device_code }));

const approve = (user_code: string, invite_code: string = CODES.open): Promise<Reply> =>
  fillIn(world, '/device', { user_code, invite_code, email: 'me@example.com', answer: 'approve' });

describe('a device', () => {
  it('gets the members of RFC 8628, by form and by JSON', async () => {
    for (const body of [new URLSearchParams({ client_id: 'ccp' }), { client_id: 'ccp' }]) {
      const { status, json, headers } = await world.post('/v1/device/code', body);
      expect(status).toBe(200);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(json).toEqual({
        device_code: expect.stringMatching(/^[\w-]{43}$/),
        user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
        verification_uri: `${world.url}/device`,
        verification_uri_complete: `${world.url}/device?user_code=${String(json['user_code'])}`,
        expires_in: 600,
        interval: 5,
      });
    }
  });

  it('waits until a person approves, then gets the licence, once', async () => {
    const { deviceCode, userCode } = await start();
    expect(await poll(deviceCode)).toMatchObject({ status: 400, json: { error: 'authorization_pending' } });
    const page = await approve(userCode);
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('<h1>Approved</h1>')]);
    const licence = await poll(deviceCode);
    expect(licence.json).toMatchObject({ license: { subject: 'me@example.com' } });
    expect(isGenuine(licence)).toBe(true);
    expect((await poll(deviceCode)).json['error']).toBe('invalid_grant');
    expect(world.audit().map(({ event, way }) => `${String(way)} ${String(event)}`)).toEqual([
      'device started',
      'device approved',
      'device issued',
    ]);
  });

  it('hears slow_down where it polls too soon, and has to wait 5 seconds more from then on', async () => {
    const { deviceCode } = await start();
    const heard: unknown[] = [];
    for (const seconds of [0, 4.9, 9.9, 15, 14.9, 20]) {
      world.pass(seconds * 1000);
      heard.push((await poll(deviceCode)).json['error']);
    }
    expect(heard).toEqual([
      'authorization_pending',
      // 4.9 s < 5 s: now 10 s.
      'slow_down',
      // 9.9 s < 10 s: now 15 s.
      'slow_down',
      'authorization_pending',
      // 14.9 s < 15 s: now 20 s.
      'slow_down',
      'authorization_pending',
    ]);
  });

  it('hears expired_token after ten minutes, and no one can approve its code any more', async () => {
    const { deviceCode, userCode } = await start();
    world.pass(599_999);
    expect((await poll(deviceCode)).json['error']).toBe('authorization_pending');
    world.pass(1);
    expect(await poll(deviceCode)).toMatchObject({ status: 400, json: { error: 'expired_token' } });
    expect((await approve(userCode)).status).toBe(400);
    expect((await poll(deviceCode)).json['error']).toBe('expired_token');
  });

  it('is not given a licence that was approved in time and fetched too late', async () => {
    const { deviceCode, userCode } = await start();
    await approve(userCode);
    world.pass(600_000);
    expect((await poll(deviceCode)).json['error']).toBe('expired_token');
  });

  it('hears access_denied where the person denies', async () => {
    const { deviceCode, userCode } = await start();
    const page = await fillIn(world, '/device', { user_code: userCode, answer: 'deny' });
    expect(page.text).toContain('<h1>Denied</h1>');
    expect(await poll(deviceCode)).toMatchObject({ status: 400, json: { error: 'access_denied' } });
    expect((await approve(userCode)).status).toBe(400);
  });

  it('hears access_denied where the last use went to another between approval and fetching', async () => {
    const devices = await Promise.all(Array.from({ length: 4 }, start));
    for (const { userCode } of devices) expect((await approve(userCode, CODES.three)).status).toBe(200);
    const replies = await Promise.all(devices.map(({ deviceCode }) => poll(deviceCode)));
    expect(
      replies
        .map(({ json }) => (json['error'] === undefined ? 'licence' : JSON.stringify(json['error'])))
        .toSorted(),
    ).toEqual(['"access_denied"', 'licence', 'licence', 'licence']);
  });

  it('is one of ten that a visitor may begin at once, and of six a minute after that', async () => {
    const begin = () => world.post('/v1/device/code', { client_id: 'ccp' });
    for (let n = 0; n < 10; n += 1) expect((await begin()).status).toBe(200);
    const halted = await begin();
    expect([halted.status, halted.headers.get('retry-after')]).toEqual([429, '10']);
    world.pass(10_000);
    expect([(await begin()).status, (await begin()).status]).toEqual([200, 429]);
  });

  it.each([
    ['no grant_type', { client_id: 'ccp', device_code: 'x' }, 400, 'invalid_request'],
    [
      'another grant_type',
      { grant_type: 'password', client_id: 'ccp', device_code: 'x' },
      400,
      'unsupported_grant_type',
    ],
    ['another client', { grant_type: GRANT, client_id: 'evil', device_code: 'x' }, 401, 'invalid_client'],
    ['no device_code', { grant_type: GRANT, client_id: 'ccp' }, 400, 'invalid_request'],
    [
      'an unknown device_code',
      { grant_type: GRANT, client_id: 'ccp', device_code: 'x' },
      400,
      'invalid_grant',
    ],
  ])('is refused with %s', async (_name, body, status, error) => {
    expect(await world.post('/v1/device/token', body)).toMatchObject({ status, json: { error } });
  });

  it('is refused where a parameter came twice', async () => {
    const body = new URLSearchParams([
      ['client_id', 'ccp'],
      ['client_id', 'ccp'],
    ]);
    expect(await world.post('/v1/device/code', body)).toMatchObject({
      status: 400,
      json: { error: 'invalid_request' },
    });
  });
});

describe('the approval page', () => {
  it('takes the code in any case, with or without its hyphen, and the one of the link', async () => {
    for (const change of [
      (code: string) => code.toLowerCase(),
      (code: string) => ` ${code.replace('-', ' ')} `,
    ]) {
      const { userCode } = await start();
      expect((await approve(change(userCode))).status).toBe(200);
    }
    const { userCode } = await start();
    expect((await world.get(`/device?user_code=${userCode}`)).text).toContain(`value="${userCode}"`);
  });

  it('keeps what was typed, says what is wrong at the field, and puts the focus there', async () => {
    const { deviceCode, userCode } = await start();
    const { status, text } = await fillIn(world, '/device', {
      user_code: userCode,
      invite_code: CODES.old,
      email: 'me@example.com',
      answer: 'approve',
    });
    expect(status).toBe(400);
    expect(text).toContain('role="alert">This invite code has expired.</span>');
    expect(text).toMatch(/<input id="invite_code"[^>]* autofocus[^>]* aria-invalid="true"/);
    for (const value of [userCode, CODES.old, 'me@example.com']) expect(text).toContain(`value="${value}"`);
    expect((await poll(deviceCode)).json['error']).toBe('authorization_pending');
  });

  it('tells nobody with a wrong device code whether an invite is good', async () => {
    const { text } = await approve('BBBB-BBBB', 'NO-SUCH-INVITE');
    expect(text).toContain('No device waits for this code');
    expect(text).not.toContain('No such invite');
  });

  it('escapes whatever it repeats', async () => {
    const { userCode } = await start();
    const invite_code = `"><script>alert(1)</script>'&`;
    const { text } = await fillIn(world, '/device', { user_code: userCode, invite_code, answer: 'approve' });
    expect(text).not.toContain('<script>');
    expect(text).toContain('value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;&amp;"');
    expect((await world.get('/device?user_code=%22%3E%3Cscript%3E')).text).not.toContain('<script>');
  });

  it('stops a visitor who tries codes', async () => {
    const { deviceCode, userCode } = await start();
    for (let n = 0; n < 10; n += 1) expect((await approve('BBBB-BBBB')).status).toBe(400);
    const halted = await approve(userCode);
    expect([halted.status, halted.headers.get('retry-after')]).toEqual([429, '10']);
    expect((await poll(deviceCode)).json['error']).toBe('authorization_pending');
    world.pass(10_000);
    expect((await approve(userCode)).status).toBe(200);
  });

  it('takes no form without the token and the cookie that belong together', async () => {
    const { deviceCode, userCode } = await start();
    const [mine, other] = [readPage(await world.get('/device')), readPage(await world.get('/device'))];
    const fields = { user_code: userCode, invite_code: CODES.open, answer: 'approve' };
    const attempts: [Record<string, string>, string][] = [
      [fields, mine.cookie],
      [{ ...fields, csrf: mine.hidden['csrf'] ?? '' }, ''],
      [{ ...fields, csrf: mine.hidden['csrf'] ?? '' }, other.cookie],
      [{ ...fields, csrf: 'x'.repeat(43) }, mine.cookie],
    ];
    for (const [form, cookie] of attempts) {
      const { status } = await world.post('/device', new URLSearchParams(form), {
        cookie,
        origin: world.url,
      });
      expect(status).toBe(403);
    }
    expect((await poll(deviceCode)).json['error']).toBe('authorization_pending');
    const right = new URLSearchParams({ ...fields, csrf: mine.hidden['csrf'] ?? '' });
    expect((await world.post('/device', right, { cookie: mine.cookie, origin: world.url })).status).toBe(200);
  });

  it('may be framed by nobody, runs no script, is not kept, and sets a cookie for itself alone', async () => {
    const { headers } = await world.get('/device');
    const policy = headers.get('content-security-policy') ?? '';
    for (const part of [
      "default-src 'none'",
      "frame-ancestors 'none'",
      "form-action 'self'",
      "base-uri 'none'",
    ])
      expect(policy).toContain(part);
    expect(policy).not.toMatch(/script-src|unsafe/);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('set-cookie')).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
  });
});
