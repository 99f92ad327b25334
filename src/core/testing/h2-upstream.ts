/** An upstream over HTTP/2 whose streams a test answers frame by frame. */
import {
  createSecureServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { TestCertificates } from './certificates.ts';
import { listen } from './listen.ts';

/** One request at the upstream. */
export interface H2Call {
  readonly stream: ServerHttp2Stream;
  readonly session: Http2Session;
  readonly headers: IncomingHttpHeaders;
  /** The body so far. */
  body(): Buffer;
}

export interface H2Upstream extends AsyncDisposable {
  readonly origin: string;
  readonly calls: readonly H2Call[];
  readonly sessions: readonly Http2Session[];
}

/** `respond` is called when the body of a request is whole. */
export async function startH2Upstream(
  { server: certificate }: TestCertificates,
  respond: (call: H2Call, index: number) => void = () => {},
): Promise<H2Upstream> {
  const calls: H2Call[] = [];
  const sessions: Http2Session[] = [];
  const server = createSecureServer({ ...certificate, allowHTTP1: false });
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => {});
  });
  server.on('stream', (stream, headers) => {
    const pieces: Buffer[] = [];
    const { session } = stream;
    if (session === undefined) return;
    // Resets are what many tests are about.
    stream.on('error', () => {});
    const call: H2Call = {
      stream,
      session,
      headers,
      body: () => Buffer.concat(pieces),
    };
    const index = calls.push(call) - 1;
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => respond(call, index));
  });
  const port = await listen(server);
  return {
    origin: `https://localhost:${port}`,
    calls,
    sessions,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
