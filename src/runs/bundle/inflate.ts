/** The gzip layer of a bundle, read strictly: one member, one header, nothing behind it. */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import { plural } from '../../analysis/plural.ts';
import type { Limits } from './limits.ts';
import { Refusal } from './refusal.ts';

/** No time, no name, no comment, no system: what `packBundle` writes (RFC 1952, section 2.3). */
const HEADER = Buffer.from('1f8b08000000000002ff', 'hex');
/** CRC-32 and length, four bytes each. */
const TRAILER_BYTES = 8;

/**
 * What a gzip file unpacks to, piece by piece. Throws a `Refusal` as soon as there is more than `limits` allow, or the
 * file is damaged or followed by anything; rejects with what the system says where it can't be read.
 */
export async function* inflate(file: string, limits: Limits): AsyncGenerator<Buffer> {
  const { size } = await stat(file);
  if (size > limits.packedBytes) throw new Refusal('too_large', `the file has ${size} bytes`);
  if (!HEADER.equals(await readAt(file, 0, HEADER.length)))
    throw new Refusal('no_gzip', 'its first ten bytes are not those of our gzip');
  const engine = createInflateRaw();
  const source = createReadStream(file, { start: HEADER.length });
  source.on('error', (error) => engine.destroy(error));
  source.pipe(engine);
  let [bytes, sum] = [0, 0];
  try {
    for await (const piece of damageOf(engine)) {
      bytes += piece.length;
      sum = crc32(piece, sum);
      // A bomb is given up while it goes off, not once it has.
      if (bytes > limits.bytes)
        throw new Refusal('too_large', `it unpacks to more than ${limits.bytes} bytes`);
      if (bytes > limits.freeBytes && bytes > size * limits.ratio)
        throw new Refusal('ratio', `${size} bytes unpack to more than ${limits.ratio} times as many`);
      yield piece;
    }
  } finally {
    source.destroy();
    engine.destroy();
  }
  const end = HEADER.length + engine.bytesWritten;
  const trailer = await readAt(file, end, TRAILER_BYTES);
  if (trailer.length < TRAILER_BYTES || trailer.readUInt32LE(0) !== sum)
    throw new Refusal('gzip_damaged', 'its check sum is wrong');
  if (trailer.readUInt32LE(4) !== bytes % 2 ** 32) throw new Refusal('gzip_damaged', 'its length is wrong');
  if (size > end + TRAILER_BYTES)
    throw new Refusal('trailing_data', `${plural(size - end - TRAILER_BYTES, 'byte')} after the packed data`);
}

async function* damageOf(engine: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* engine;
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))
      throw new Refusal('gzip_damaged', error.message);
    throw error;
  }
}

async function readAt(file: string, position: number, length: number): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
