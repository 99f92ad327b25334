import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CODES, type IssuerWorld, isGenuine, startIssuer } from '../testing/issuer-world.ts';

let world: IssuerWorld;
beforeEach(async () => {
  world = await startIssuer();
});
afterEach(() => world[Symbol.asyncDispose]());

const claim = (invite_code: string, email?: string) =>
  world.post('/v1/license/issue', { invite_code, email });

it('gives a signed licence for an invite, also under the name of the predecessor', async () => {
  const reply = await claim(CODES.open, 'me@example.com');
  expect(reply.status).toBe(200);
  expect(reply.json).toMatchObject({
    license: {
      kid: 'test',
      plan: 'trial',
      features: ['zai_offload'],
      subject: 'me@example.com',
      issued_at: '2030-01-01T00:00:00.000Z',
      expires_at: '2030-01-08T00:00:00.000Z',
    },
  });
  expect(reply.json['sigB64']).toBe(reply.json['signature']);
  expect(isGenuine(reply)).toBe(true);
});

it('names nobody where no e-mail address is given, and takes a code in any case', async () => {
  const reply = await claim(` ${CODES.open.toLowerCase()} `);
  expect(reply.json).toMatchObject({ license: { subject: 'anonymous' } });
});

it.each([
  ['an unknown invite', { invite_code: 'NO-SUCH-INVITE' }, 403, 'invite_unknown'],
  ['an expired invite', { invite_code: CODES.old }, 403, 'invite_expired'],
  ['no invite', { email: 'me@example.com' }, 400, 'invalid_request'],
  ['a wrong type', { invite_code: 7 }, 400, 'invalid_request'],
  [
    'an address that is no text',
    { invite_code: CODES.open, email: '\ud800@example.com' },
    400,
    'invalid_request',
  ],
  ['what is no address', { invite_code: CODES.open, email: 'me at example' }, 400, 'invalid_request'],
])('refuses %s with a code and a sentence', async (_name, body, status, error) => {
  const reply = await world.post('/v1/license/issue', body);
  expect([reply.status, reply.json['error']]).toEqual([status, error]);
  expect(reply.json['error_description']).toMatch(/^[^"\\]{10,}$/);
});

it('gives a use back where the licence cannot be put on record', async () => {
  const log = join(world.stateDir, 'issuer-audit.jsonl');
  rmSync(log);
  mkdirSync(log);
  for (let n = 0; n < 4; n += 1) expect((await claim(CODES.three)).status).toBe(500);
  rmSync(log, { recursive: true });
  const statuses: number[] = [];
  for (let n = 0; n < 4; n += 1) statuses.push((await claim(CODES.three)).status);
  expect(statuses).toEqual([200, 200, 200, 403]);
});

it('gives exactly three licences for fifty claims at once on an invite of three uses', async () => {
  const replies = await Promise.all(Array.from({ length: 50 }, () => claim(CODES.three)));
  const given = replies.filter(({ status }) => status === 200);
  expect(given).toHaveLength(3);
  expect(given.every(isGenuine)).toBe(true);
  expect(new Set(given.map(({ json }) => json['signature'])).size).toBe(3);
  const refused = replies.filter(({ status }) => status === 403).map(({ json }) => json['error']);
  expect(refused).toEqual(Array.from({ length: 47 }, () => 'invite_used_up'));
});

it('remembers the uses across a restart', async () => {
  expect((await claim(CODES.three)).status).toBe(200);
  expect((await claim(CODES.three)).status).toBe(200);
  await world.restart();
  expect((await claim(CODES.three)).status).toBe(200);
  expect((await claim(CODES.three)).json['error']).toBe('invite_used_up');
  expect(readdirSync(join(world.stateDir, 'uses'))).toHaveLength(1);
});

it('lets nobody guess invites: ten wrong ones, then none at all until time has passed', async () => {
  const codes = Array.from({ length: 11 }, (_, n) => `GUESSED-${n}`);
  const errors: unknown[] = [];
  for (const code of codes) errors.push((await claim(code)).json['error']);
  expect(errors).toEqual([...Array.from({ length: 10 }, () => 'invite_unknown'), 'too_many_requests']);
  const right = await claim(CODES.open);
  expect([right.status, right.headers.get('retry-after')]).toEqual([429, '10']);
  world.pass(10_000);
  expect((await claim(CODES.open)).status).toBe(200);
});

it('writes an audit log that names neither codes nor people', async () => {
  await claim(CODES.open, 'me@example.com');
  await claim(CODES.open, 'me@example.com');
  await claim('NO-SUCH-INVITE');
  const [first, second, third] = world.audit();
  expect(first).toMatchObject({
    event: 'issued',
    way: 'invite',
    plan: 'trial',
    kid: 'test',
    ts: '2030-01-01T00:00:00.000Z',
  });
  expect(third).toMatchObject({ event: 'refused', way: 'invite', why: 'invite_unknown' });
  expect([first?.['subject'], first?.['invite'], first?.['from']]).toEqual([
    second?.['subject'],
    second?.['invite'],
    third?.['from'],
  ]);
  const text = JSON.stringify(world.audit());
  for (const secret of [CODES.open, 'NO-SUCH-INVITE', 'me@example.com', '127.0.0.1'])
    expect(text).not.toContain(secret);
});
