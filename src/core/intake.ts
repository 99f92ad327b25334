/** Takes a request body in, whole and capped. */
import type { IncomingMessage } from 'node:http';

export type Intake =
  | { readonly kind: 'whole'; readonly body: Buffer }
  | { readonly kind: 'too_large'; readonly bytes: number }
  /** The client left, or its framing broke, before the end. */
  | { readonly kind: 'cut_short'; readonly bytes: number };

export interface IntakeOptions {
  /** Bytes that `content-length` promises, where there is one. */
  readonly announced: number | undefined;
  /** Bytes that are buffered at most. */
  readonly cap: number;
  /** Called when the body is wanted: a client may be waiting for `100 Continue`. */
  readonly invite: () => void;
}

export function takeIn(request: IncomingMessage, { announced, cap, invite }: IntakeOptions): Promise<Intake> {
  if (announced !== undefined && announced > cap) return Promise.resolve({ kind: 'too_large', bytes: 0 });
  invite();
  return new Promise((resolve) => {
    // A promised length is filled in place: one copy, and nothing to join at the end.
    const whole = announced === undefined ? null : Buffer.allocUnsafeSlow(announced);
    const pieces: Buffer[] = [];
    let bytes = 0;

    request.on('data', (piece: Buffer) => {
      if (bytes + piece.length > cap) {
        settle({ kind: 'too_large', bytes });
        return;
      }
      if (whole === null) pieces.push(piece);
      else piece.copy(whole, bytes);
      bytes += piece.length;
    });
    request.on('end', () => settle({ kind: 'whole', body: whole ?? Buffer.concat(pieces, bytes) }));
    request.on('error', () => settle({ kind: 'cut_short', bytes }));
    request.on('close', () => settle({ kind: 'cut_short', bytes }));

    function settle(intake: Intake): void {
      request.removeAllListeners('data');
      resolve(intake);
    }
  });
}
