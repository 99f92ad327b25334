/** Content codings undone beside the bytes that pass, on zlib's own threads. */
import type { Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';

import { createByteStore } from '../../protocol/byte-store.ts';

export interface DecoderSink {
  data(piece: Buffer): void;
  /** The bytes are not what their header claims. Nothing comes after it. */
  fail(reason: string): void;
}

export interface Decoder {
  write(piece: Buffer): void;
  /** Bytes handed to zlib and not yet decoded. */
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

/**
 * How much is collected before zlib is asked. Nobody waits for the decoded bytes before the end, and each
 * call crosses two threads: event by event, a stream of 200 cost 7 ms of CPU, in batches less than 1.
 */
const BATCH_BYTES = 16 * 1024;

/** A decoder for a `content-encoding`, null where none is known that undoes it. */
export function createDecoder(coding: string, sink: DecoderSink): Decoder | null {
  const create = Object.hasOwn(CODINGS, coding) ? CODINGS[coding] : undefined;
  if (create === undefined) return null;
  const { promise: settled, resolve } = Promise.withResolvers<void>();
  const waiting = createByteStore();
  let transform: Transform | null = null;

  const open = (first: Buffer): Transform => {
    const opened = create(first);
    opened.on('data', (piece: Buffer) => sink.data(piece));
    opened.on('error', (error) => sink.fail(`the body is not ${coding}: ${error.message}`));
    opened.on('close', resolve);
    return opened;
  };

  const flush = (): void => {
    const batch = waiting.take();
    if (batch.length === 0) return;
    transform ??= open(batch);
    transform.write(batch);
  };

  return {
    write(piece) {
      waiting.append(piece, 0, piece.length);
      if (waiting.length() >= BATCH_BYTES) flush();
    },
    lag: () => transform?.writableLength ?? 0,
    end() {
      flush();
      if (transform === null) return Promise.resolve();
      transform.end();
      return settled;
    },
    destroy: () => void transform?.destroy(),
  };
}
