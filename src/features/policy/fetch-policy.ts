/** Gets a pack and its signature from where the operator publishes them. */
import type { FileAnswer, FileRequest } from '../../core/upstream/get-file.ts';
import { quoted } from '../../protocol/quoted.ts';
import { MAX_POLICY_BYTES } from './policy-pack.ts';
import { type PolicyReason, type Refusal, refuse } from './reasons.ts';
import { MAX_SIGNATURE_BYTES, readSignature } from './signature-file.ts';

/** Gets one file: follows no redirect, sends no credential, never rejects. */
export type GetFile = (request: FileRequest) => Promise<FileAnswer>;

export type Fetched =
  | { readonly state: 'unchanged' }
  | {
      readonly state: 'fetched';
      readonly bytes: Buffer;
      readonly signature: string;
      readonly etag: string | null;
    }
  | { readonly state: 'failed'; readonly refusal: Refusal };

export interface FetchOptions {
  /** Of the pack; its signature lies beside it, with `.sig` at the end of its name. */
  readonly url: URL;
  /** Of the pack that is there already; null asks without a condition. */
  readonly etag: string | null;
  readonly get: GetFile;
}

const TIMEOUT_MS = 10_000;
/** Of what a server, whom nobody vouches for, had a part in; in characters. */
const LONGEST_QUOTE = 200;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** An entity tag (RFC 9110, section 8.8.3) that is fit to be sent back. */
const ETAG = /^(?:W\/)?"[\x21\x23-\x7e]{0,200}"$/;

/** Asks for the pack, and for its signature where the pack is new. Never rejects. */
export async function fetchPolicy({ url, etag, get }: FetchOptions): Promise<Fetched> {
  const pack = await getFile(get, { url, maxBytes: MAX_POLICY_BYTES, etag, absent: 'http_status' });
  if (pack.state !== 'got') return pack;
  const beside = signatureUrl(url);
  const file = await getFile(get, {
    url: beside,
    maxBytes: MAX_SIGNATURE_BYTES,
    etag: null,
    absent: 'unsigned',
  });
  if (file.state !== 'got') return file;
  const signature = readSignature(file.body);
  if (!signature.ok) return { state: 'failed', refusal: signature };
  return {
    state: 'fetched',
    bytes: pack.body,
    signature: signature.value,
    etag: pack.etag !== null && ETAG.test(pack.etag) ? pack.etag : null,
  };
}

/** Where the signature of the pack at `url` lies. */
function signatureUrl(url: URL): URL {
  const beside = new URL(url);
  beside.pathname += '.sig';
  return beside;
}

interface Wanted {
  readonly url: URL;
  readonly maxBytes: number;
  readonly etag: string | null;
  /** What it means that the file is not there. */
  readonly absent: PolicyReason;
}

type Got =
  | { readonly state: 'got'; readonly body: Buffer; readonly etag: string | null }
  | Exclude<Fetched, { readonly state: 'fetched' }>;

async function getFile(get: GetFile, { url, maxBytes, etag: known, absent }: Wanted): Promise<Got> {
  const condition = known === null ? [] : ['if-none-match', known];
  const headers = ['accept', '*/*', 'accept-encoding', 'identity', 'cache-control', 'no-cache', ...condition];
  const answer = await get({ url, headers, maxBytes, timeoutMs: TIMEOUT_MS });
  const failed = (reason: PolicyReason, what: string): Got => ({
    state: 'failed',
    refusal: refuse(reason, `${url.href} ${what}`),
  });
  if ('error' in answer)
    return failed(answer.error, `could not be fetched: ${quoted(answer.message, LONGEST_QUOTE)}`);
  const { status, encoding, etag, body } = answer;
  if (status === 304 && known !== null) return { state: 'unchanged' };
  if (REDIRECTS.has(status)) return failed('redirect', `answered with a redirect (${status})`);
  if (status === 404) return failed(absent, 'is not there (404)');
  if (status !== 200) return failed('http_status', `answered with ${status}`);
  if (encoding !== null && encoding !== 'identity')
    return failed('encoded', `came with content-encoding ${quoted(encoding)}`);
  return { state: 'got', body, etag };
}
