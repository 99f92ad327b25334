/** HTTP/2: node:http2 frames the answer; the frames that it will not send as told are written beneath it. */
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { HeaderPairs } from '../../protocol/transcript.ts';
import type { Head, Wire } from './wire.ts';

/**
 * `transport` carries the frames, `raw` is the TCP socket far below it.
 *
 * `stream.close(code)` of Node 24 ends the writable side first: the peer sees END_STREAM and no RST_STREAM at
 * all, a clean end. `session.goaway(code, 0)` takes 0 for "the last stream". So these frames are written to the
 * transport directly; node:http2 writes whole frames, so none is ever torn.
 */
export function createH2Wire(stream: ServerHttp2Stream, transport: Duplex, raw: Socket): Wire {
  const gone = new AbortController();
  const streamId = stream.id ?? 0;
  let struck = false;
  let lastWrite = Promise.resolve();
  let ended = false;
  const delivered = Promise.withResolvers<void>();
  stream.on('close', () => {
    // A lost connection closes its streams with CANCEL. 'finish' tells nothing: it may come late, or after a reset.
    const whole = ended && stream.rstCode === constants.NGHTTP2_NO_ERROR;
    if (whole) delivered.resolve();
    else if (!struck) gone.abort();
  });
  stream.on('error', () => gone.abort());

  const sendFrame = (frame: Buffer): Promise<void> =>
    new Promise((resolve) => void transport.write(frame, () => resolve()));
  const resetStream = async (code: number): Promise<void> => {
    struck = true;
    await sendFrame(rstStream(streamId, code));
    stream.destroy();
  };
  return {
    http: '2',
    gone: gone.signal,
    head(head) {
      const headers = lowerCase(head);
      stream.respond([':status', String(head.status), ...headers.flat()]);
      return headers;
    },
    async partialHead() {
      // A HEADERS frame that promises a hundred bytes, of which none follows.
      await sendFrame(frameHeader(FRAME.headers, streamId, 100));
    },
    write(bytes) {
      const { promise, resolve } = Promise.withResolvers<void>();
      lastWrite = promise;
      return stream.write(bytes, () => resolve()) ? Promise.resolve() : promise;
    },
    flushed: () => lastWrite,
    end() {
      ended = true;
      stream.end();
      return delivered.promise;
    },
    async strike(fault) {
      switch (fault.kind) {
        case 'reset':
          struck = true;
          raw.resetAndDestroy();
          return;
        case 'close':
          struck = true;
          raw.destroySoon();
          return;
        case 'malformed_chunk':
          await resetStream(constants.NGHTTP2_PROTOCOL_ERROR);
          return;
        case 'rst_stream':
          await resetStream(fault.code);
          return;
        case 'goaway':
          struck = !fault.processed;
          await sendFrame(goaway(fault.processed ? streamId : streamId - 2, fault.code));
      }
    },
    closeConnection: () => raw.destroySoon(),
  };
}

// Frames, RFC 9113, 4.1 and 6.

const FRAME = { headers: 0x1, rstStream: 0x3, goaway: 0x7 } as const;

function rstStream(streamId: number, code: number): Buffer {
  return Buffer.concat([frameHeader(FRAME.rstStream, streamId, 4), uint32(code)]);
}

function goaway(lastStreamId: number, code: number): Buffer {
  return Buffer.concat([frameHeader(FRAME.goaway, 0, 8), uint32(Math.max(0, lastStreamId)), uint32(code)]);
}

/** Length (24 bits), type, flags, stream. */
function frameHeader(type: number, streamId: number, length: number): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(length, 0, 3);
  header[3] = type;
  header.writeUInt32BE(streamId, 5);
  return header;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function lowerCase({ status, headers, now, length, bodyBytes }: Head): HeaderPairs {
  const bodyless = status === 204 || status === 304;
  return [
    ['date', new Date(now).toUTCString()],
    ...headers.map(([name, value]) => [name.toLowerCase(), value] as const),
    ...(length === 'content-length' && !bodyless ? [['content-length', String(bodyBytes)] as const] : []),
  ];
}
