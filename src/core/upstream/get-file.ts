/** One small file over the connections of the upstreams: with their authorities and limits, and never from ourselves. */
import type { Dispatcher } from 'undici';
import type { Clock } from '../../platform/clock.ts';
import { failureType } from './failure.ts';

export interface FileRequest {
  readonly url: URL;
  /** Alternating names and values; nothing else is sent. */
  readonly headers: readonly string[];
  readonly maxBytes: number;
  /** Milliseconds until the last byte. */
  readonly timeoutMs: number;
}

export type FileAnswer =
  | {
      readonly status: number;
      readonly etag: string | null;
      readonly encoding: string | null;
      /** Of a 200; of any other answer it is not read. */
      readonly body: Buffer;
    }
  | { readonly error: 'unreachable' | 'timeout' | 'too_large'; readonly message: string };

/** Gets a file from the origin that `dispatcher` is for. Follows no redirect, never rejects. */
export function getFile(
  dispatcher: Dispatcher,
  { url, headers, maxBytes, timeoutMs }: FileRequest,
  clock: Clock,
): Promise<FileAnswer> {
  return new Promise((resolve) => {
    let abort = (): void => {};
    let over = false;
    const settle = (answer: FileAnswer): void => {
      if (over) return;
      over = true;
      stop();
      resolve(answer);
      abort();
    };
    const stop = clock.after(timeoutMs, () =>
      settle({ error: 'timeout', message: `no whole answer within ${timeoutMs} ms` }),
    );
    const pieces: Buffer[] = [];
    let bytes = 0;
    let head: Omit<Extract<FileAnswer, { readonly status: number }>, 'body'> | null = null;
    dispatcher.dispatch(
      { method: 'GET', path: url.pathname + url.search, headers: [...headers] },
      {
        onRequestStart(controller) {
          abort = () => controller.abort(new Error('the file is no longer wanted'));
          if (over) abort();
        },
        onResponseStart(_controller, status, answered) {
          if (status < 200) return;
          head = { status, etag: single(answered['etag']), encoding: single(answered['content-encoding']) };
          if (status !== 200) settle({ ...head, body: Buffer.alloc(0) });
        },
        onResponseData(_controller, piece) {
          bytes += piece.length;
          if (bytes > maxBytes) settle({ error: 'too_large', message: `more than ${maxBytes} bytes came` });
          else pieces.push(piece);
        },
        onResponseEnd() {
          if (head !== null) settle({ ...head, body: Buffer.concat(pieces) });
        },
        onResponseError(_controller, error) {
          settle({ error: 'unreachable', message: `${error.message} (${failureType(error)})` });
        },
      },
    );
  });
}

/** The value of a header that must not be there twice. */
const single = (value: string | string[] | undefined): string | null =>
  value === undefined ? null : Array.isArray(value) ? value.join(', ') : value;
