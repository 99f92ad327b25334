/** Content codings undone beside the bytes that pass: on zlib's own threads, piece by piece. */
import type { Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';

export interface DecoderSink {
  data(piece: Buffer): void;
  /** The bytes are not what their header claims. Nothing comes after it. */
  fail(reason: string): void;
}

export interface Decoder {
  write(piece: Buffer): void;
  /** Bytes taken and not yet decoded. */
  lag(): number;
  /** Resolves once all that was written has reached the sink, or failed, or was destroyed. */
  end(): Promise<void>;
  destroy(): void;
}

// With these flushes a body that was cut short yields what is there and is no error: that the answer is
// incomplete is seen where its end is judged.
const ZLIB = { finishFlush: constants.Z_SYNC_FLUSH };
const BROTLI = { finishFlush: constants.BROTLI_OPERATION_FLUSH };
const ZSTD = { finishFlush: constants.ZSTD_e_flush };

const CODINGS: Readonly<Record<string, (first: Buffer) => Transform>> = {
  gzip: () => createGunzip(ZLIB),
  'x-gzip': () => createGunzip(ZLIB),
  // Meant to be zlib's format (RFC 9110 section 8.4.1.2), and sent raw by some; every zlib header begins
  // with 8 in the low half of its first byte, where raw deflate has an impossible block.
  deflate: (first: Buffer) => (((first[0] ?? 0) & 0x0f) === 8 ? createInflate(ZLIB) : createInflateRaw(ZLIB)),
  br: () => createBrotliDecompress(BROTLI),
  zstd: () => createZstdDecompress(ZSTD),
};

/** A decoder for a `content-encoding`, null where none is known that undoes it. */
export function createDecoder(coding: string, sink: DecoderSink): Decoder | null {
  const create = Object.hasOwn(CODINGS, coding) ? CODINGS[coding] : undefined;
  if (create === undefined) return null;
  const { promise: settled, resolve } = Promise.withResolvers<void>();
  let transform: Transform | null = null;

  const open = (first: Buffer): Transform => {
    const opened = create(first);
    opened.on('data', (piece: Buffer) => sink.data(piece));
    opened.on('error', (error) => sink.fail(`the body is not ${coding}: ${error.message}`));
    opened.on('close', resolve);
    return opened;
  };

  return {
    write(piece) {
      if (piece.length === 0) return;
      transform ??= open(piece);
      transform.write(piece);
    },
    lag: () => transform?.writableLength ?? 0,
    end() {
      if (transform === null) return Promise.resolve();
      transform.end();
      return settled;
    },
    destroy: () => void transform?.destroy(),
  };
}
