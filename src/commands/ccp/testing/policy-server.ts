/** An operator's web server with a signed policy pack; signed by node:crypto, independently of our own signing. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type HttpUpstream, type SeenRequest, startHttpUpstream } from './served.ts';

export interface PolicyKeys {
  readonly secret: KeyObject;
  /** Standard base64 of the 32 bytes. */
  readonly seed: string;
  readonly publicKey: string;
}

/** Keys made for the test: one in the repository would be a key given away. */
export function makePolicyKeys(): PolicyKeys {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = (text: string | undefined): string => Buffer.from(text ?? '', 'base64url').toString('base64');
  return {
    secret: privateKey,
    seed: raw(privateKey.export({ format: 'jwk' }).d),
    publicKey: raw(publicKey.export({ format: 'jwk' }).x),
  };
}

/** The text of a pack that is valid for an hour, unless said otherwise. */
export function packText(part: Readonly<Record<string, unknown>>): string {
  const at = (ms: number): string => new Date(Date.now() + ms).toISOString();
  return JSON.stringify({ version: 1, issued_at: at(-1000), expires_at: at(3_600_000), routes: {}, ...part });
}

export interface PolicyServer extends HttpUpstream {
  readonly keys: PolicyKeys;
  /** Where the pack is. */
  readonly policyUrl: string;
  /** Puts a pack there, signed by these keys unless others are given. */
  publish(part: Readonly<Record<string, unknown>>, by?: PolicyKeys): void;
  /** Lets it misbehave; null: no longer. */
  misbehave(answer: ((response: ServerResponse, request: SeenRequest) => void) | null): void;
}

export async function startPolicyServer(): Promise<PolicyServer> {
  const keys = makePolicyKeys();
  let pack = '';
  let signature = '';
  let misbehaviour: ((response: ServerResponse, request: SeenRequest) => void) | null = null;
  const server = await startHttpUpstream((response, request) => {
    if (misbehaviour !== null) return misbehaviour(response, request);
    if (request.path === '/policy.json.sig') return void response.end(signature);
    const etag = `"${signature.slice(0, 16)}"`;
    const known = request.headers['if-none-match'] === etag;
    response.writeHead(known ? 304 : 200, { etag }).end(known ? undefined : pack);
  });
  return {
    ...server,
    keys,
    policyUrl: `${server.url}/policy.json`,
    publish(part, by = keys) {
      pack = packText(part);
      signature = sign(null, Buffer.from(pack), by.secret).toString('base64');
    },
    misbehave(answer) {
      misbehaviour = answer;
    },
  };
}
