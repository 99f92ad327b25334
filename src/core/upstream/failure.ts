/** What an error of the upstream connection means, in the words of a record. */
import type { ErrType } from '../../protocol/usage-event.ts';
import { ConnectError } from './connector.ts';

const H2_REFUSED_STREAM = 7;

/** The `err_type` of an error that undici or the connector raised. */
export function failureType(error: Error): ErrType {
  if (error instanceof ConnectError) return error.phase;
  // Its code is missing where the answer is no HTTP at all.
  if (error.name === 'HTTPParserError') return 'protocol';
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return 'net';
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'UND_ERR_INVALID_ARG') return 'protocol';
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' || code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH')
    return 'protocol';
  if (code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL')) return 'tls';
  return 'net';
}

/** Whether the request was never sendable: undici refuses paths and headers that HTTP does not allow. */
export function isClientFault(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'UND_ERR_INVALID_ARG';
}

/**
 * Whether the upstream itself says that it never processed this request (RFC 9113 section 8.7): the stream
 * was refused, or stood above the last one that a GOAWAY names. Only then is a second try on the same
 * upstream no second request. Over HTTP/1.1 undici moves to a fresh connection by itself as long as the old
 * socket was not handed a byte; after that nobody can know, and we do not try.
 */
export function provablyUnprocessed(error: Error): boolean {
  const refused = 'http2ErrorCode' in error && error.http2ErrorCode === H2_REFUSED_STREAM;
  return refused || isGoaway(error);
}

/** Whether a connection ends because the upstream said so (RFC 9113 section 6.8); undici gives it no code. */
export function isGoaway(error: Error): boolean {
  return error.message.startsWith('HTTP/2: "GOAWAY" frame received');
}
