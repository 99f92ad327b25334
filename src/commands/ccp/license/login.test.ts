import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestIssuer } from '../../../config/testing/license-env.ts';
import { systemIssuerPorts } from '../../../issuer/issuer.ts';
import { makeSeedFile, publicLine } from '../../../issuer/signing-key.ts';
import {
  makePlace,
  type Place,
  type Running,
  type RunningIssuer,
  startIssuerProcess,
} from '../testing/programs.ts';
import { until } from '../testing/served.ts';

/** One issuer for all: each login has a place of its own. */
let office: Place;
let issuer: RunningIssuer;
let trusted: Record<string, string>;
let place: Place;
beforeAll(async () => {
  office = makePlace();
  const line = publicLine(makeSeedFile(join(office.cwd, 'seed'), 'test', systemIssuerPorts(() => {}).random));
  trusted = { CCP_LICENSE_PUBKEY_B64: line };
  issuer = await startIssuerProcess(office, { seedFile: 'seed' });
});
afterAll(async () => {
  await issuer[Symbol.asyncDispose]();
  office[Symbol.dispose]();
});
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place[Symbol.dispose]());

const packPath = (): string => join(place.home, '.config/ccp/license.pack');
const login = (args: readonly string[], env: Record<string, string> = {}): Running =>
  place.run(['license', 'login', '--issuer', issuer.url, ...args], { ...trusted, ...env });

/** What a person's browser does on the approval page. */
async function approve(url: string, fields: Record<string, string>): Promise<Response> {
  const page = await fetch(url);
  const hidden = [
    ...(await page.text()).matchAll(
      /<input (?:type="hidden" name|id="user_code" name)="([^"]+)"[^>]*? value="([^"]*)"/g,
    ),
  ];
  const cookie = page.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
  const form = new URLSearchParams({
    ...Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value])),
    ...fields,
  });
  // Follows the redirect of the loopback flow, as a browser does.
  return fetch(url.split('?', 1)[0] ?? url, {
    method: 'POST',
    body: form,
    headers: { cookie, origin: issuer.url },
  });
}
const APPROVAL = { invite_code: 'DEV-TRIAL-7D', email: 'me@example.com', answer: 'approve' };

function usesSoFar(): number {
  const folder = join(office.home, '.local/state/ccp/default/issuer/uses');
  return existsSync(folder) ? readdirSync(folder, { recursive: true }).length : 0;
}

const shownUrl = (running: Running): Promise<string> =>
  until('the page is shown', () => /^ {2}(http:\S+)$/m.exec(running.err())?.[1]);

async function expectStored(running: Running, subject: string): Promise<void> {
  expect([await running.exited, running.err()]).toEqual([0, expect.not.stringContaining('error')]);
  expect(running.out()).toMatch(
    /^Stored in \S+license\.pack: plan trial, features zai_offload, until \S+Z\.\n$/,
  );
  expect(statSync(packPath()).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(packPath(), 'utf8'))).toMatchObject({
    license: { kid: 'test', subject },
    signature: expect.any(String),
  });
}

describe('ccp license login', () => {
  it('--invite gets a licence at once', async () => {
    await using running = login(['--invite', 'DEV-TRIAL-7D', '--email', 'me@example.com']);
    await expectStored(running, 'me@example.com');
  });

  it('warns of what goes before the stored licence, before it asks for anything', async () => {
    const url = await unusedUrl();
    await using running = login(['--issuer', url, '--invite', 'X'], { CC_LICENSE_PACK: '/elsewhere' });
    expect(await running.exited).toBe(3);
    expect(running.err()).toContain(
      'CC_LICENSE_PACK (/elsewhere) is set here and goes before the stored licence',
    );
  });

  it('--no-browser shows address and code, and waits for the approval', async () => {
    await using running = login(['--no-browser']);
    const url = await shownUrl(running);
    const code = /user_code=(.*)$/.exec(url)?.[1] ?? '';
    await expect.poll(() => running.err()).toContain(`valid for 10 minutes: ${code}\n`);
    expect((await approve(url, APPROVAL)).status).toBe(200);
    await expectStored(running, 'me@example.com');
  });

  it('opens the browser that is named, without a shell', async () => {
    const script = join(place.cwd, 'browser');
    writeFileSync(script, `#!/bin/sh\nprintf '%s' "$1" >"${place.cwd}/opened"\n`);
    chmodSync(script, 0o755);
    await using running = login([], { BROWSER: script });
    const url = await shownUrl(running);
    await until(
      'the browser was started',
      () => existsSync(join(place.cwd, 'opened')) && readFileSync(join(place.cwd, 'opened'), 'utf8') === url,
    );
  });

  it('prints the address where no browser can be opened', async () => {
    await using running = login([], { BROWSER: join(place.cwd, 'no-such-browser') });
    await until('it says so', () => running.err().includes('No browser could be opened here'));
    expect(running.child.exitCode).toBeNull();
  });

  it('--loopback takes the redirect of the approval page', async () => {
    await using running = login(['--loopback', '--no-browser']);
    const page = await approve(await shownUrl(running), APPROVAL);
    expect(await page.text()).toContain('You may close this page');
    await expectStored(running, 'me@example.com');
  });

  it('--loopback believes nothing that comes without its state', async () => {
    await using running = login(['--loopback', '--no-browser']);
    const url = await shownUrl(running);
    const callback = new URL(url).searchParams.get('redirect_uri') ?? '';
    for (const query of [
      '',
      '?code=stolen',
      '?code=stolen&state=',
      `?code=stolen&state=${'x'.repeat(43)}`,
      '?error=access_denied',
    ])
      expect((await fetch(`${callback}${query}`)).status).toBe(400);
    expect(running.child.exitCode).toBeNull();
    await approve(url, APPROVAL);
    await expectStored(running, 'me@example.com');
  });

  it('never lets its verifier out of the process: the address holds its hash only', async () => {
    await using running = login(['--loopback', '--no-browser']);
    const { searchParams } = new URL(await shownUrl(running));
    expect(Buffer.from(searchParams.get('code_challenge') ?? '', 'base64url')).toHaveLength(
      createHash('sha256').digest().length,
    );
    expect([...searchParams.keys()]).not.toContain('code_verifier');
  });

  it.each([[['--no-browser']], [['--loopback', '--no-browser']]])(
    'ends with 1 where the person denies (%j)',
    async (args) => {
      await using running = login(args);
      await approve(await shownUrl(running), { answer: 'deny' });
      expect(await running.exited).toBe(1);
      expect(running.err()).toContain('access_denied');
      expect(existsSync(packPath())).toBe(false);
    },
  );

  it.each([[['--no-browser']], [['--loopback', '--no-browser']]])(
    'leaves nothing behind on Ctrl-C (%j)',
    async (args) => {
      await using running = login(args);
      const url = await shownUrl(running);
      running.child.kill('SIGINT');
      expect(await running.exited).toBe(130);
      expect(running.err()).toContain('interrupted; nothing was stored');
      expect(existsSync(join(place.home, '.config'))).toBe(false);
      const callback = new URL(url).searchParams.get('redirect_uri');
      if (callback !== null) await expect(fetch(callback)).rejects.toThrow('fetch failed');
    },
  );

  it('spends no invite on a licence that this proxy cannot verify, and says which key it lacks', async () => {
    const before = usesSoFar();
    await using running = login(['--invite', 'DEV-TRIAL-7D'], { CCP_LICENSE_PUBKEY_B64: '' });
    expect(await running.exited).toBe(1);
    expect(running.err()).toContain('does not know the key test');
    expect(running.err()).toContain(`CCP_LICENSE_PUBKEY_B64: ${trusted['CCP_LICENSE_PUBKEY_B64']}`);
    expect(existsSync(packPath())).toBe(false);
    expect(usesSoFar()).toBe(before);
  });

  it('keeps the licence that is there where the new one does not count', async () => {
    await using first = login(['--invite', 'DEV-TRIAL-7D']);
    await first.exited;
    const before = readFileSync(packPath(), 'utf8');
    const other = { CCP_LICENSE_PUBKEY_B64: `test=${Buffer.alloc(32, 7).toString('base64')}` };
    await using second = login(['--invite', 'DEV-TRIAL-7D'], other);
    expect([await second.exited, second.err()]).toEqual([
      1,
      expect.stringContaining('does not count (tampered)'),
    ]);
    expect(readFileSync(packPath(), 'utf8')).toBe(before);
  });

  it('prints one JSON document with --json, and everything else on stderr', async () => {
    await using running = login(['--invite', 'DEV-TRIAL-7D', '--json']);
    expect(await running.exited).toBe(0);
    expect(JSON.parse(running.out())).toEqual({
      path: packPath(),
      plan: 'trial',
      features: ['zai_offload'],
      kid: 'test',
      subject: 'anonymous',
      expires_at: expect.stringMatching(/Z$/),
    });
  });

  it.each([
    ['sigB64', ({ license, signature }: Pack) => ({ license, sigB64: signature })],
    ['both names', ({ license, signature }: Pack) => ({ license, signature, sigB64: signature })],
    ['a pack in an object', (pack: Pack) => ({ pack })],
  ])('takes the answer of an issuer of another kind: %s', async (_name, wrap) => {
    const ours = await fetch(`${issuer.url}/v1/license/issue`, {
      method: 'POST',
      body: new URLSearchParams({ invite_code: 'DEV-TRIAL-7D' }),
    });
    const { license, signature }: Pack = JSON.parse(await ours.text());
    await using other = await answerWith(200, JSON.stringify(wrap({ license, signature })));
    await using running = login(['--issuer', other.url, '--invite', 'X']);
    await expectStored(running, 'anonymous');
    expect(JSON.parse(readFileSync(packPath(), 'utf8'))).toEqual({ license, signature });
  });

  it.each([
    ['is no licence', '{"hello":"world"}', 'does not count (malformed)'],
    ['is one of a stranger', () => strangersPack(), 'not known here: "stranger"'],
  ])('stores nothing where the answer %s, and says why', async (_name, body, sentence) => {
    await using other = await answerWith(200, typeof body === 'string' ? body : body());
    await using running = login(['--issuer', other.url, '--invite', 'X']);
    expect([await running.exited, running.err()]).toEqual([1, expect.stringContaining(sentence)]);
    expect(existsSync(packPath())).toBe(false);
  });

  it.each([
    ['an issuer in clear elsewhere', ['--issuer', 'http://licences.example'], 2, '--issuer'],
    ['an address without an invite', ['--email', 'me@example.com'], 2, '--email goes with --invite'],
    ['an invite that is none', ['--invite', 'NO-SUCH-INVITE'], 1, 'invite_unknown'],
  ])('refuses %s', async (_name, args, code, sentence) => {
    await using running = login(args);
    expect([await running.exited, running.err()]).toEqual([code, expect.stringContaining(sentence)]);
    expect(existsSync(packPath())).toBe(false);
  });

  it('says that nobody is there', async () => {
    const url = await unusedUrl();
    await using running = login(['--issuer', url]);
    expect([await running.exited, running.err()]).toEqual([
      3,
      expect.stringContaining(`no issuer answers at ${url} (ECONNREFUSED)`),
    ]);
  });

  it.each([
    ['is no issuer', 200, 'hello', {}],
    ['sends elsewhere', 307, '', { location: 'https://evil.example/' }],
    ['sends without an end', 200, 'x'.repeat(100_000), {}],
  ])('refuses what %s', async (_name, status, body, headers) => {
    await using other = await answerWith(status, body, headers);
    await using running = login(['--issuer', other.url, '--invite', 'DEV-TRIAL-7D']);
    expect([await running.exited, running.err()]).toEqual([3, expect.stringMatching(/no issuer/)]);
  });
});

interface Pack {
  readonly license: object;
  readonly signature: string;
}

const strangersPack = (): string => JSON.stringify(createTestIssuer('stranger').mint());

/** What answers all that it is asked with one thing. */
async function answerWith(status: number, body: string, headers: Record<string, string> = {}) {
  const server = createServer((_request, response) => response.writeHead(status, headers).end(body));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

async function unusedUrl(): Promise<string> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  await new Promise((resolve) => void server.close(resolve));
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}
