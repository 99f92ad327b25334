import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCanaries } from './canaries.ts';
import { createLicenses } from './licenses.ts';
import { placeLicense } from './place-license.ts';
import { startGroup } from './process-group.ts';
import type { CommandResult } from './types/target.ts';
import type { Stage } from './types/world.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'place-license-'));
});
afterEach(() => rm(folder, { recursive: true }));

const GOOD: CommandResult = { exitCode: 0, stdout: 'stored\n', stderr: '' };
const STAGE: Stage = { name: 'trial', license: 'trial', by: 'command' };

/** Places it with a `ccp` that gives this result, and `scripts` for those of its commands that are started. */
async function place(stage: Stage, { result = GOOD, scripts = {} }: Stand = {}) {
  const ran: (readonly string[])[] = [];
  const canaries = createCanaries('5eed');
  const licenses = createLicenses(canaries, Date.now());
  const target = {
    ccp: async (args: readonly string[]) => (ran.push(args), result),
    startCcp: async (args: readonly string[]) => {
      ran.push(args);
      const script = scripts[args[0] ?? ''] ?? '';
      return startGroup({ file: process.execPath, args: ['-e', script, ...args], env: {}, cwd: folder });
    },
  };
  const artifacts = placeLicense(stage, { target, licenses, canaries, folder });
  return { ran, licenses, canaries, artifacts };
}

interface Stand {
  readonly result?: CommandResult;
  readonly scripts?: Readonly<Record<string, string>>;
}

describe('a licence', () => {
  it('is stored by the command, from a file of our own that nobody else can read', async () => {
    const { ran, licenses, artifacts } = await place(STAGE);
    expect(await artifacts).toEqual([{ place: 'ccp license set', text: 'stored\n' }]);
    const [[, , file = ''] = []] = ran;
    expect(ran).toEqual([['license', 'set', file]]);
    expect(await readFile(file, 'utf8')).toBe(licenses.pack('trial'));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('is taken away by the command, and nothing is run where the environment holds it', async () => {
    const away = await place({ ...STAGE, license: 'none' });
    await away.artifacts;
    expect(away.ran).toEqual([['license', 'logout']]);
    const held = await place({ ...STAGE, by: 'environment' });
    expect(await held.artifacts).toEqual([]);
    expect(held.ran).toEqual([]);
  });

  it('that the command refuses ends the run with what it said', async () => {
    const refused: CommandResult = { exitCode: 1, stdout: '', stderr: 'ccp: error: it has expired\n' };
    const { artifacts } = await place(STAGE, { result: refused });
    await expect(artifacts).rejects.toMatchObject({
      code: 'CHECK_FAILED',
      message: '"ccp license set" ended with 1: ccp: error: it has expired',
    });
  });
});

describe('a login', () => {
  const LOGIN: Stage = { ...STAGE, by: 'login' };

  it('is approved on the page of the issuer with what its form holds, and searched like the rest', {
    timeout: 30_000,
  }, async () => {
    const { artifacts, canaries } = await place(LOGIN, { scripts: { issuer: ISSUER, license: COMMAND } });
    const texts = Object.fromEntries((await artifacts).map(({ place: where, text }) => [where, text]));
    expect(JSON.parse(texts['issuer/seen.jsonl'] ?? '')).toEqual({
      cookie: 'form=1',
      origin: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      body: {
        csrf: 'a&b',
        user_code: 'ABCD-EFGH',
        email: '',
        invite_code: canaries.inviteCode,
        answer: 'approve',
      },
    });
    expect(texts['ccp issuer serve']).toBe('serving\n');
    expect(texts['ccp license login']).toContain('stored');
    expect(Object.keys(texts)).toEqual(['ccp license login', 'ccp issuer serve', 'issuer/seen.jsonl']);
    expect(canaries.all()).toEqual(
      expect.arrayContaining([
        { name: 'fingerprint-key:hex', value: 'fb'.repeat(32), allowed: [] },
        { name: 'fingerprint-key:base64', value: expect.stringMatching(/^(\+\/v7){10}\+\/s$/), allowed: [] },
        { name: 'fingerprint-key:base64url', value: expect.stringMatching(/^(-_v7){10}-_s$/), allowed: [] },
      ]),
    );
  });

  it('that its command gives up ends the run with what it printed', { timeout: 30_000 }, async () => {
    const { artifacts } = await place(LOGIN, {
      scripts: { issuer: ISSUER, license: 'console.error("no such issuer"); process.exitCode = 3' },
    });
    await expect(artifacts).rejects.toMatchObject({
      code: 'NOT_READY',
      message: expect.stringContaining('no such issuer'),
    });
  });

  it('without an issuer that serves ends the run', { timeout: 30_000 }, async () => {
    const { artifacts } = await place(LOGIN, { scripts: { issuer: 'console.error("bad invites")' } });
    await expect(artifacts).rejects.toMatchObject({ message: expect.stringContaining('bad invites') });
  });
});

/** Stands for `ccp issuer serve`: one page with a form, and a note of what was sent with it. */
const ISSUER = `
const { mkdirSync, writeFileSync } = require('node:fs');
const option = (name) => process.argv[process.argv.indexOf(name) + 1];
mkdirSync(option('--state'));
require('node:http').createServer((request, response) => {
  if (request.method === 'GET') {
    response.setHeader('set-cookie', 'form=1; HttpOnly');
    response.end('<input type="hidden" name="csrf" value="a&amp;b"><input name="user_code" value="ABCD-EFGH">'
      + '<input id="invite_code" name="invite_code" value=""><input name="email" value="">');
    return;
  }
  let body = '';
  request.on('data', (bytes) => (body += bytes)).on('end', () => {
    const { cookie, origin } = request.headers;
    const seen = { cookie, origin, body: Object.fromEntries(new URLSearchParams(body)) };
    writeFileSync(option('--state') + '/seen.jsonl', JSON.stringify(seen));
    writeFileSync(option('--state') + '/fingerprint.key', Buffer.alloc(32, 0xfb));
    response.end();
  });
}).listen(option('--port'), '127.0.0.1', () => console.log('serving'));
`;

/** Stands for \`ccp license login\`: shows where to go, and ends well a moment later. */
const COMMAND = `
const url = process.argv[process.argv.indexOf('--issuer') + 1];
console.error('open ' + url + '/device?user_code=ABCD-EFGH');
setTimeout(() => console.log('stored'), 500);
`;
