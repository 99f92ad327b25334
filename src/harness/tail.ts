/** Keeps the newest bytes of an output: bounded, whatever a child prints. */
export interface Tail {
  readonly push: (bytes: Buffer) => void;
  /** What is kept, as UTF-8; starts with a note where something was dropped. */
  readonly text: () => string;
}

/** Keeps at least the last `limit` bytes (whole pieces are dropped, oldest first). */
export function createTail(limit: number): Tail {
  const pieces: Buffer[] = [];
  let kept = 0;
  let dropped = 0;
  return {
    push(bytes) {
      pieces.push(bytes);
      kept += bytes.length;
      for (let oldest = pieces[0]; oldest && kept - oldest.length >= limit; oldest = pieces[0]) {
        pieces.shift();
        kept -= oldest.length;
        dropped += oldest.length;
      }
    },
    text: () => (dropped > 0 ? `[${dropped} bytes dropped]\n` : '') + Buffer.concat(pieces).toString('utf8'),
  };
}
