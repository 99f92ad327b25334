/**
 * Everything that is no provider of the run: a forward proxy that answers for the whole rest of the world, so
 * that a program under test reaches nobody, and whom it tried to reach is on record. On mockttp, whose CONNECT
 * front and certificates by name are what this needs.
 */
import type { CompletedRequest } from 'mockttp';
import type { OutsideAttempt } from '../../protocol/witness.ts';

export interface Elsewhere extends AsyncDisposable {
  /** For `HTTPS_PROXY` and `HTTP_PROXY`. */
  readonly url: string;
  /** For `NODE_EXTRA_CA_CERTS`; who does not trust it is on record by host name only. */
  readonly certPem: string;
  /** In order of arrival. */
  attempts(): readonly OutsideAttempt[];
}

/** Takes about half a second, most of it the import of mockttp: for runs that watch side traffic only. */
export async function startElsewhere(): Promise<Elsewhere> {
  const { generateCACertificate, getLocal } = await import('mockttp');
  const ca = await generateCACertificate({ subject: { commonName: 'ccp-uat elsewhere CA' } });
  const server = getLocal({ https: ca, http2: true, recordTraffic: false });
  await server.start();

  const attempts: OutsideAttempt[] = [];
  await server.on('request', (request) => void attemptOf(request).then((attempt) => attempts.push(attempt)));
  await server.on('tls-client-error', ({ tlsMetadata, destination }) => {
    attempts.push({ host: tlsMetadata.sniHostname ?? destination?.hostname ?? 'unknown' });
  });
  // 403 and not a reset: a client takes it for an answer and does not try again for minutes.
  await server.forAnyRequest().always().thenReply(403, 'Nothing outside this run can be reached.');
  return {
    url: `http://127.0.0.1:${server.port}`,
    certPem: ca.cert,
    attempts: () => attempts,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

async function attemptOf({
  method,
  url,
  rawHeaders: headers,
  body,
}: CompletedRequest): Promise<OutsideAttempt> {
  // What does not decode is on record as it came.
  const text = await body.getText().catch(() => body.buffer.toString('latin1'));
  return { host: new URL(url).hostname, request: { method, url, headers, body: text ?? '' } };
}
