/** Asks an issuer, over https or on loopback, and believes nothing that it has not looked at. */
import { z } from 'zod';
import { OperatorError } from '../../errors.ts';
import { isRecord, parseJson } from '../../protocol/json.ts';

/** What an issuer refuses, in the codes of RFC 6749 and RFC 8628 and our own. */
export interface Refused {
  readonly ok: false;
  readonly error: string;
  readonly description: string;
  /** Seconds to wait where it said so. */
  readonly retryAfter: number | null;
}

export type Given<T> = { readonly ok: true; readonly value: T } | Refused;

/** A licence as an issuer sent it, a JSON object of whatever shape: the judge of licences knows all of them. */
export type LicenseText = string;

export interface IssuerClient {
  /** Without a slash at its end. */
  readonly url: string;
  /** The keys it says it signs with; none where it does not say. */
  keys(): Promise<readonly IssuerKey[]>;
  issue(inviteCode: string, email: string | null): Promise<Given<LicenseText>>;
  startDevice(): Promise<Given<DeviceStart>>;
  pollDevice(deviceCode: string): Promise<Given<LicenseText>>;
  redeem(proof: {
    readonly code: string;
    readonly verifier: string;
    readonly redirectUri: string;
  }): Promise<Given<LicenseText>>;
}

export type IssuerKey = z.infer<typeof keySchema>;
export type DeviceStart = z.infer<typeof startSchema>;

const CLIENT_ID = 'ccp';
const PATIENCE_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1024;

const keySchema = z.object({ kid: z.string().max(128), public_key: z.string().max(128) });
const keysSchema = z.object({ keys: z.array(keySchema).max(16) });
/** A page that a person is sent to: nothing but the web, and in clear on this machine only. */
const pageUrl = z.string().max(2048).refine(isSafePage, 'is neither https nor on loopback');
const startSchema = z.object({
  device_code: z.string().min(1).max(512),
  user_code: z.string().min(1).max(64),
  verification_uri: pageUrl,
  verification_uri_complete: pageUrl.optional(),
  expires_in: z.number().positive().max(86_400),
  // RFC 8628 section 3.2: five seconds where none is given.
  interval: z.number().min(0).max(300).default(5),
});
const errorSchema = z.object({
  error: z.string().max(64),
  error_description: z.string().max(500).default(''),
});

/**
 * Its questions throw `NOT_READY` where nobody, or nobody who is an issuer, answers, and what `signal` was aborted with.
 * @param base an https URL, or http to a loopback address
 */
export function createIssuerClient(base: string, signal: AbortSignal): IssuerClient {
  const url = base.replace(/\/+$/, '');

  /** The text of the JSON object that it answered with. */
  async function ask(path: string, body: Readonly<Record<string, string>>): Promise<Given<string>> {
    const { response, text } = await fetchText(`${url}${path}`, body);
    const value = parseJson(text);
    if (response.ok && isRecord(value)) return { ok: true, value: text };
    const refusal = errorSchema.safeParse(value);
    if (response.ok || !refusal.success) throw noIssuer(response.status);
    const { error, error_description: description } = refusal.data;
    const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
    return { ok: false, error, description, retryAfter: Number.isFinite(retryAfter) ? retryAfter : null };
  }

  const noIssuer = (status: number): OperatorError =>
    new OperatorError('NOT_READY', `what answers at ${url} is no issuer of licences (status ${status})`, {
      hint: HINT,
    });

  async function fetchText(
    address: string,
    body: Readonly<Record<string, string>> | undefined,
  ): Promise<{ response: Response; text: string }> {
    try {
      const response = await fetch(address, {
        ...(body !== undefined && {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
        // A redirect could lead out of https, and an invite with it.
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
      });
      return { response, text: await readCapped(response) };
    } catch (cause) {
      signal.throwIfAborted();
      throw new OperatorError('NOT_READY', `no issuer answers at ${url} (${reasonOf(cause)})`, {
        hint: HINT,
        cause,
      });
    }
  }

  return {
    url,
    async keys() {
      // Not every issuer tells: that of the predecessor does not.
      const { response, text } = await fetchText(`${url}/v1/keys`, undefined);
      const parsed = keysSchema.safeParse(parseJson(text));
      return response.ok && parsed.success ? parsed.data.keys : [];
    },
    issue: (inviteCode, email) =>
      ask('/v1/license/issue', { invite_code: inviteCode, ...(email !== null && { email }) }),
    async startDevice() {
      const given = await ask('/v1/device/code', { client_id: CLIENT_ID });
      if (!given.ok) return given;
      const parsed = startSchema.safeParse(parseJson(given.value));
      if (!parsed.success) throw noIssuer(200);
      return { ok: true, value: parsed.data };
    },
    pollDevice: (deviceCode) =>
      ask('/v1/device/token', {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        client_id: CLIENT_ID,
        device_code: deviceCode,
      }),
    redeem: ({ code, verifier, redirectUri }) =>
      ask('/v1/token', {
        grant_type: 'authorization_code',
        client_id: CLIENT_ID,
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
      }),
  };
}

/** The page where a person approves what a program on this machine asks for. */
export function authorizePageUrl(
  url: string,
  {
    redirectUri,
    state,
    challenge,
  }: { readonly redirectUri: string; readonly state: string; readonly challenge: string },
): string {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: CLIENT_ID,
    redirect_uri: redirectUri,
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  });
  return `${url}/authorize?${query.toString()}`;
}

const HINT = 'Name one with --issuer or CCP_LICENSE_ISSUER; "ccp issuer serve" runs one here.';

async function readCapped(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`more than ${MAX_ANSWER_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** The reason beneath "fetch failed". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${PATIENCE_MS / 1000} s`;
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return 'code' in cause ? String(cause.code) : cause.message;
}

function isSafePage(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
