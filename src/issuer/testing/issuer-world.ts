/** An issuer on a real socket, with a folder of its own and a clock that a test moves. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../platform/clock.ts';
import { systemRandom } from '../../platform/random.ts';
import { verifyEd25519 } from '../../protocol/ed25519.ts';
import { licenseBytes, licensePackSchema } from '../../protocol/license.ts';
import { parseInvites } from '../invites.ts';
import { createIssuer } from '../issuer.ts';
import { publicLine } from '../signing-key.ts';

/** Epoch milliseconds at which the clock of a test world begins. */
export const BEGINNING = Date.parse('2030-01-01T00:00:00Z');

export const KEY = { kid: 'test', seed: systemRandom.bytes(32) };

export const CODES = { open: 'OPEN-INVITE', three: 'THREE-USES', old: 'EXPIRED-INVITE' } as const;

const INVITES = {
  invites: [
    { code: CODES.open, plan: 'trial', features: ['zai_offload'], days: 7, max_uses: 100 },
    { code: CODES.three, plan: 'trial', features: ['zai_offload'], days: 7, max_uses: 3 },
    {
      code: CODES.old,
      plan: 'trial',
      features: [],
      days: 7,
      max_uses: 3,
      expires_at: '2029-12-31T00:00:00Z',
    },
  ],
};

export interface IssuerWorld extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly stateDir: string;
  /** Moves the clock. */
  pass(ms: number): void;
  /** Posts JSON, unless a form is given. */
  post(path: string, body: object | URLSearchParams, headers?: Record<string, string>): Promise<Reply>;
  get(path: string, headers?: Record<string, string>): Promise<Reply>;
  /** The lines of the audit log. */
  audit(): Record<string, unknown>[];
  /** What the issuer said of itself. */
  readonly said: string[];
  /** A new issuer on the same folder, as after a restart; its port is another. */
  restart(): Promise<void>;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body where it is JSON. */
  readonly json: Record<string, unknown>;
}

export async function startIssuer({
  publicUrl = null,
}: {
  publicUrl?: URL | null;
} = {}): Promise<IssuerWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'ccp-issuer-'));
  const stateDir = join(folder, 'state');
  const invitesFile = join(folder, 'invites.json');
  writeFileSync(invitesFile, JSON.stringify(INVITES));
  const said: string[] = [];
  let now = 0;
  const clock: Clock = { now: () => BEGINNING + now, monotonic: () => now, after: () => () => {} };
  const say = (text: string): void => void said.push(text);
  const create = () =>
    createIssuer(
      { key: KEY, invites: parseInvites(readFileSync(invitesFile), invitesFile), stateDir, publicUrl },
      { clock, random: systemRandom, log: { info: say, warn: say, error: say } },
    );
  let server = create();
  let port = await server.listen(0, '127.0.0.1');
  const urlNow = (): string => `http://127.0.0.1:${port}`;

  async function ask(path: string, init: RequestInit): Promise<Reply> {
    const response = await fetch(`${urlNow()}${path}`, { redirect: 'manual', ...init });
    const text = await response.text();
    const isJson = response.headers.get('content-type') === 'application/json';
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : {} };
  }

  return {
    get url() {
      return urlNow();
    },
    get port() {
      return port;
    },
    stateDir,
    said,
    pass(ms) {
      now += ms;
    },
    post: (path, body, headers = {}) =>
      ask(path, {
        method: 'POST',
        body: body instanceof URLSearchParams ? body : JSON.stringify(body),
        headers: {
          ...(!(body instanceof URLSearchParams) && { 'content-type': 'application/json' }),
          ...headers,
        },
      }),
    get: (path, headers = {}) => ask(path, { headers }),
    audit: () =>
      readFileSync(join(stateDir, 'issuer-audit.jsonl'), 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
    async restart() {
      await server.close();
      server = create();
      port = await server.listen(0, '127.0.0.1');
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Whether an answer holds a licence that the key of the world signed. */
export function isGenuine({ json }: Reply): boolean {
  const { license, signature } = z.object(licensePackSchema.shape).parse(json);
  const [, publicKey = ''] = /^test=(.*)$/.exec(publicLine(KEY)) ?? [];
  return verifyEd25519(
    licenseBytes(license),
    Buffer.from(signature, 'base64'),
    Buffer.from(publicKey, 'base64'),
  );
}

/** A form of a page, with its cookie: what a browser would send back. */
export interface OpenForm {
  readonly hidden: Readonly<Record<string, string>>;
  readonly cookie: string;
}

export function readPage({ text, headers }: Reply): OpenForm {
  const hidden = [...text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)];
  const cookie = headers.get('set-cookie')?.split(';', 1)[0] ?? '';
  return { hidden: Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value])), cookie };
}

/** Loads a page and sends its form, filled in. */
export async function fillIn(
  world: IssuerWorld,
  path: string,
  fields: Readonly<Record<string, string>>,
): Promise<Reply> {
  const { hidden, cookie } = readPage(await world.get(path));
  const action = path.split('?', 1)[0] ?? path;
  return world.post(action, new URLSearchParams({ ...hidden, ...fields }), { cookie, origin: world.url });
}
