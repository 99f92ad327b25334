/** Compression as a streaming server does it: a flush after each part, so that an event can be read when it arrives. */
import { buffer } from 'node:stream/consumers';
import {
  type BrotliCompress,
  constants,
  createBrotliCompress,
  createDeflate,
  createGzip,
  createZstdCompress,
  type Deflate,
  type Gzip,
  type ZstdCompress,
} from 'node:zlib';
import type { Codec } from './scenario.ts';

type Compressor = BrotliCompress | Deflate | Gzip | ZstdCompress;

const COMPRESSORS: Readonly<Record<Codec, { readonly make: () => Compressor; readonly flush: number }>> = {
  gzip: { make: () => createGzip(), flush: constants.Z_SYNC_FLUSH },
  deflate: { make: () => createDeflate(), flush: constants.Z_SYNC_FLUSH },
  br: {
    make: () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
    flush: constants.BROTLI_OPERATION_FLUSH,
  },
  zstd: { make: () => createZstdCompress(), flush: constants.ZSTD_e_flush },
};

/** Returns as many parts as it was given; the last one also holds the codec's own ending. */
export async function compress(parts: readonly Buffer[], codec: Codec): Promise<Buffer[]> {
  const { make, flush } = COMPRESSORS[codec];
  const compressor = make();
  const encoded: Buffer[] = [];
  for (const part of parts.slice(0, -1)) encoded.push(await flushed(compressor, part, flush));
  const rest = buffer(compressor);
  compressor.end(parts.at(-1));
  return [...encoded, await rest];
}

async function flushed(compressor: Compressor, part: Buffer, flush: number): Promise<Buffer> {
  compressor.write(part);
  await new Promise<void>((resolve) => compressor.flush(flush, resolve));
  const pieces: Buffer[] = [];
  for (let piece: unknown = compressor.read(); piece !== null; piece = compressor.read()) {
    if (Buffer.isBuffer(piece)) pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
