import { type FileHandle, open } from 'node:fs/promises';

/** Each read is a trip to another thread: 64 kB at a time cost more waiting than reading on a busy machine. */
const BLOCK_BYTES = 1024 * 1024;

/**
 * The bytes of a file from its beginning to where it ends when that is reached, one block ahead of the reader. Each
 * block is valid until the next one is asked for: two pieces of memory serve a file of any size. The file
 * is closed however the reading ends. Rejects with what `open` or `read` say.
 */
export async function* readFileBlocks(path: string): AsyncGenerator<Uint8Array, void> {
  await using file = await open(path);
  let [memory, spare] = [Buffer.allocUnsafeSlow(BLOCK_BYTES), Buffer.allocUnsafeSlow(BLOCK_BYTES)];
  let reading = readInto(file, memory);
  for (;;) {
    const block = await reading;
    if (block.length === 0) return;
    [memory, spare] = [spare, memory];
    reading = readInto(file, memory);
    yield block;
  }
}

/** A reader that stops early never awaits the read ahead; its failure is then nobody's. */
function readInto(file: FileHandle, memory: Buffer): Promise<Buffer> {
  const reading = file
    .read(memory, 0, memory.length, null)
    .then(({ bytesRead }) => memory.subarray(0, bytesRead));
  reading.catch(() => {});
  return reading;
}
