/** Collects bytes that arrive in pieces of any size; the cost stays linear even for pieces of one byte. */
export interface ByteStore {
  readonly length: () => number;
  append(piece: Buffer, start: number, end: number): void;
  /** Hands over what was collected and starts empty again. */
  take(): Buffer;
}

const EMPTY = Buffer.alloc(0);

export function createByteStore(): ByteStore {
  let space = EMPTY;
  let used = 0;
  return {
    length: () => used,
    append(piece, start, end) {
      const needed = used + end - start;
      if (needed > space.length) {
        const larger = Buffer.allocUnsafe(Math.max(needed, 2 * space.length));
        space.copy(larger, 0, 0, used);
        space = larger;
      }
      piece.copy(space, used, start, end);
      used = needed;
    },
    take() {
      const collected = space.subarray(0, used);
      space = EMPTY;
      used = 0;
      return collected;
    },
  };
}
