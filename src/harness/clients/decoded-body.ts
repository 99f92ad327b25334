/** Reading a body that a transcript kept: beside the wire, after the fact. */
import { brotliDecompressSync, constants, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import type { Transcript } from '../../protocol/transcript.ts';
import { headerValue } from '../http1/parser.ts';

// A stream cut short is read as far as it goes.
const LENIENT = { finishFlush: constants.Z_SYNC_FLUSH };
const DECODERS: ReadonlyMap<string, (bytes: Buffer) => Buffer> = new Map([
  ['gzip', (bytes) => gunzipSync(bytes, LENIENT)],
  ['deflate', (bytes) => inflateSync(bytes, LENIENT)],
  ['br', (bytes) => brotliDecompressSync(bytes, { finishFlush: constants.BROTLI_OPERATION_FLUSH })],
  ['zstd', (bytes) => zstdDecompressSync(bytes, { finishFlush: constants.ZSTD_e_flush })],
]);

/** The body of an answer without its content coding; empty without an answer. Throws on a coding that is false or unknown. */
export function decodedBody({ response }: Transcript): Buffer {
  if (response?.body.base64 === undefined) return Buffer.alloc(0);
  const bytes = Buffer.from(response.body.base64, 'base64');
  const coding = headerValue(response.headers, 'content-encoding')?.toLowerCase() ?? 'identity';
  if (coding === 'identity' || bytes.length === 0) return bytes;
  const decode = DECODERS.get(coding);
  if (decode === undefined) throw new RangeError(`content-encoding ${coding} is not known here`);
  return decode(bytes);
}
