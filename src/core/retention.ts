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

const FIRST_BYTES = 2 * 1024;
export const MAX_STREAM_BYTES = 1024 * 1024;
export const MAX_TOTAL_BYTES = 128 * 1024 * 1024;

/** One growing buffer per stream: a slow stream's small pieces would cost more as objects than as bytes. */
export function createRetention(maxTotal: number = MAX_TOTAL_BYTES): Retention {
  let total = 0;

  return {
    open() {
      let kept: Buffer = Buffer.alloc(0);
      let length = 0;

      const makeRoom = (needed: number): boolean => {
        if (needed <= kept.length) return true;
        const size = Math.min(MAX_STREAM_BYTES, Math.max(FIRST_BYTES, kept.length * 2, needed));
        if (needed > size || total + size - kept.length > maxTotal) return false;
        const grown = Buffer.allocUnsafeSlow(size);
        kept.copy(grown, 0, 0, length);
        total += size - kept.length;
        kept = grown;
        return true;
      };

      return {
        add(piece) {
          const fits = makeRoom(length + piece.length) ? piece.length : kept.length - length;
          length += piece.copy(kept, length, 0, fits);
        },
        pieces: () => (length === 0 ? [] : [kept.subarray(0, length)]),
        release() {
          total -= kept.length;
          kept = Buffer.alloc(0);
          length = 0;
        },
      };
    },
  };
}
