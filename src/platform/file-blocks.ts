import { open } from 'node:fs/promises';

/** Each read is a trip to another thread: 64 kB at a time cost more waiting than reading on a busy machine. */
const BLOCK_BYTES = 1024 * 1024;

/**
 * The bytes of a file from its beginning to where it ends when that is reached. Each block is a view of the same
 * memory and valid until the next one is asked for. The file is closed however the reading ends. Rejects
 * with what `open` or `read` say.
 */
export async function* readFileBlocks(path: string): AsyncGenerator<Uint8Array, void> {
  await using file = await open(path);
  const memory = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  for (;;) {
    const { bytesRead } = await file.read(memory, 0, BLOCK_BYTES, null);
    if (bytesRead === 0) return;
    yield memory.subarray(0, bytesRead);
  }
}
