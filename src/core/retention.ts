/**
 * Keeps a copy of what was sent of each stream, for the partial that an abnormal end leaves behind. Held in
 * memory, because answers have no business on a disk while all is well; bounded per stream and in total.
 */

export interface Retained {
  add(piece: Buffer): void;
  /** What was kept, in order: everything up to the bounds. */
  pieces(): readonly Buffer[];
  /** Gives the memory back. */
  release(): void;
}

export interface Retention {
  open(): Retained;
}

const BLOCK_BYTES = 2 * 1024;
export const MAX_STREAM_BYTES = 1024 * 1024;
export const MAX_TOTAL_BYTES = 128 * 1024 * 1024;

/** Small pieces are copied into blocks: a slow stream's would cost more as objects than as bytes. */
export function createRetention(maxTotal: number = MAX_TOTAL_BYTES): Retention {
  let total = 0;

  return {
    open() {
      let pieces: Buffer[] = [];
      let held = 0;
      let block: Buffer | null = null;
      let used = 0;
      let full = false;

      const hold = (bytes: number): boolean => {
        // What would still fit behind a piece that did not would leave a hole.
        full ||= held + bytes > MAX_STREAM_BYTES || total + bytes > maxTotal;
        if (full) return false;
        held += bytes;
        total += bytes;
        return true;
      };

      const endBlock = (): void => {
        if (block !== null && used > 0) pieces.push(block.subarray(0, used));
        block = null;
        used = 0;
      };

      const addSmall = (piece: Buffer): void => {
        if (block === null || used + piece.length > BLOCK_BYTES) {
          endBlock();
          if (!hold(BLOCK_BYTES)) return;
          block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
        }
        used += piece.copy(block, used);
      };

      return {
        add(piece) {
          if (piece.length < BLOCK_BYTES) return addSmall(piece);
          endBlock();
          if (hold(piece.length)) pieces.push(piece);
        },
        pieces() {
          endBlock();
          return pieces;
        },
        release() {
          total -= held;
          held = 0;
          pieces = [];
          block = null;
        },
      };
    },
  };
}
