/**
 * Gets a licence by a redirect to this machine (RFC 8252): a listener of our own takes the code that the issuer sends
 * the browser back with. What comes without our `state` is somebody else's; the code is worth nothing without the
 * PKCE verifier, which never leaves this process but for the issuer.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { OperatorError } from '../../errors.ts';
import { type Random, randomToken } from '../../platform/random.ts';
import type { Answer } from '../http/visit.ts';
import { notice } from '../pages/layout.ts';
import { authorizePageUrl, type IssuerClient, type LicenseText } from './issuer-client.ts';
import { licenseOrThrow, refusalError } from './refusal.ts';

export interface LoopbackLoginPorts {
  /** Shows the person the page to go to. */
  readonly show: (url: string) => Promise<void>;
  readonly random: Random;
  readonly signal: AbortSignal;
}

const PATH = '/callback';
const PATIENCE_MS = 600_000;

/** Throws `CHECK_FAILED` where it was denied or nobody came back in time, and what the client throws. */
export async function loginByLoopback(
  client: IssuerClient,
  { show, random, signal }: LoopbackLoginPorts,
): Promise<LicenseText> {
  const [state, verifier] = [randomToken(random), randomToken(random)];
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  await using listener = await listen(state);
  const { redirectUri } = listener;
  await show(authorizePageUrl(client.url, { redirectUri, state, challenge }));
  const code = await withPatience(listener.code, signal);
  return licenseOrThrow(await client.redeem({ code, verifier, redirectUri }));
}

interface Listener extends AsyncDisposable {
  readonly redirectUri: string;
  /** Rejects where the issuer sent an error. */
  readonly code: Promise<string>;
}

async function listen(state: string): Promise<Listener> {
  const { promise: code, resolve, reject } = Promise.withResolvers<string>();
  // Whoever breaks the login off awaits it no more.
  code.catch(() => {});
  let host = '';
  const server = createServer((request, response) => {
    const url = URL.parse(request.url ?? '', 'http://here');
    const query = url?.searchParams;
    const ours = request.method === 'GET' && request.headers.host === host && url?.pathname === PATH;
    if (!ours || query === undefined || !isSame(query.get('state') ?? '', state)) {
      send(
        response,
        notice(ours ? 400 : 404, 'Not expected', 'Nothing here waits for this. Start over in the terminal.'),
      );
      return;
    }
    const [given, error] = [query.get('code'), query.get('error')];
    if (given !== null) {
      send(response, notice(200, 'Approved', 'The terminal has what it needs. You may close this page.'));
      resolve(given);
    } else {
      send(response, notice(200, 'No licence', 'Nothing was approved. You may close this page.'));
      const description = query.get('error_description')?.slice(0, 500) ?? 'it was not approved';
      reject(
        refusalError({
          ok: false,
          error: error?.slice(0, 64) ?? 'server_error',
          description,
          retryAfter: null,
        }),
      );
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not listening on TCP');
  host = `127.0.0.1:${address.port}`;
  return { redirectUri: `http://${host}${PATH}`, code, [Symbol.asyncDispose]: () => close(server) };
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, connection: 'close', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** The answer on its way to the browser gets a moment, and nobody more than that. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), 500);
  await closed;
  clearTimeout(timer);
}

async function withPatience(code: Promise<string>, signal: AbortSignal): Promise<string> {
  const late = AbortSignal.timeout(PATIENCE_MS);
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {});
  const any = AbortSignal.any([signal, late]);
  any.addEventListener('abort', () => ended.reject(any.reason));
  try {
    signal.throwIfAborted();
    return await Promise.race([code, ended.promise]);
  } catch (error) {
    if (error !== late.reason || !late.aborted) throw error;
    throw new OperatorError('CHECK_FAILED', 'nobody approved in time', {
      hint: 'Run "ccp license login --loopback" again.',
    });
  }
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
