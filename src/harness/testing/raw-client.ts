/** Clients for the tests of the mocks: they show what is on the wire and repair nothing. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface RawAnswer {
  /** All that came, in the order it came. */
  readonly bytes: Buffer;
  readonly arrivals: readonly { readonly at: number; readonly bytes: number }[];
  /** How it ended: FIN, an error code such as ECONNRESET, or `left` where the caller ended it. */
  readonly end: string;
}

export interface RawExchange {
  readonly socket: Socket;
  readonly ended: Promise<RawAnswer>;
  /** What came so far. */
  text(): string;
  /** Resolves once the text so far satisfies the condition; rejects where the connection ends before. */
  until(condition: (text: string) => boolean): Promise<void>;
}

/** Writes the text as it is on a new connection (TLS where there is a CA). */
export async function sendRaw(url: string, text: string, ca?: string): Promise<RawExchange> {
  const { port } = new URL(url);
  const socket =
    ca === undefined
      ? connectTcp({ host: '127.0.0.1', port: Number(port) })
      : connectTls({ host: '127.0.0.1', port: Number(port), servername: 'localhost', ca });
  await once(socket, ca === undefined ? 'connect' : 'secureConnect');
  const pieces: Buffer[] = [];
  const arrivals: { at: number; bytes: number }[] = [];
  let end = 'left';
  socket.on('data', (piece: Buffer) => {
    pieces.push(piece);
    arrivals.push({ at: performance.now(), bytes: piece.length });
  });
  socket.on('end', () => {
    end = 'FIN';
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    end = error.code ?? error.message;
  });
  const ended = new Promise<RawAnswer>((resolve) => {
    socket.on('close', () => resolve({ bytes: Buffer.concat(pieces), arrivals, end }));
  });
  const soFar = (): string => Buffer.concat(pieces).toString('utf8');
  socket.write(text);
  return {
    socket,
    ended,
    text: soFar,
    async until(condition) {
      while (!condition(soFar())) {
        const closed = ended.then(({ end: how }) => `ended (${how}) before the condition was met`);
        const problem = await Promise.race([nextData(socket), closed]);
        if (typeof problem === 'string' && !condition(soFar())) throw new Error(problem);
      }
    },
  };
}

/** Unlike `once`, leaves errors to those who listen for them. */
function nextData(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once('data', () => resolve()));
}

/** One HTTP/1.1 POST with a JSON body, its connection closed by the answer's end. */
export function postText(
  path: string,
  body: unknown,
  headers: readonly string[] = ['x-api-key: test'],
): string {
  const json = JSON.stringify(body);
  const lines = [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    ...headers,
    `Content-Length: ${Buffer.byteLength(json)}`,
    'Connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n${json}`;
}

/** One HTTP/2 frame. */
export interface Frame {
  readonly type: 'DATA' | 'HEADERS' | 'RST_STREAM' | 'SETTINGS' | 'GOAWAY' | 'other';
  readonly endStream: boolean;
  readonly payload: Buffer;
}

export interface Http2Answer {
  /** Those of the answer: no SETTINGS, no WINDOW_UPDATE. */
  readonly frames: readonly Frame[];
  readonly body: Buffer;
  /** As in `RawAnswer`. */
  readonly end: string;
}

export interface Http2Exchange {
  readonly socket: Socket;
  /** Resolves once END_STREAM, RST_STREAM or the end of the connection was seen. */
  readonly answer: Promise<Http2Answer>;
  /** Resolves once this many bytes of body came. */
  received(bytes: number): Promise<void>;
}

/** One POST on an HTTP/2 connection of its own, as stream 1, frame by frame. */
export async function postHttp2(
  url: string,
  path: string,
  body: unknown,
  ca: string,
): Promise<Http2Exchange> {
  const socket = connectTls({
    host: '127.0.0.1',
    port: Number(new URL(url).port),
    servername: 'localhost',
    ALPNProtocols: ['h2'],
    ca,
  });
  await once(socket, 'secureConnect');
  let received = Buffer.alloc(0);
  let end: string | undefined;
  socket.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
  });
  socket.on('end', () => {
    end ??= 'FIN';
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    end ??= error.code ?? error.message;
  });
  const fields: readonly (readonly [string, string])[] = [
    [':method', 'POST'],
    [':scheme', 'https'],
    [':path', path],
    [':authority', 'localhost'],
    ['x-api-key', 'test'],
  ];
  socket.write(
    Buffer.concat([
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      frame(FRAME_TYPE.indexOf('SETTINGS'), 0, 0, Buffer.alloc(0)),
      frame(FRAME_TYPE.indexOf('HEADERS'), END_HEADERS, 1, Buffer.concat(fields.map(literalField))),
      frame(FRAME_TYPE.indexOf('DATA'), END_STREAM, 1, Buffer.from(JSON.stringify(body))),
    ]),
  );
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const until = async (condition: (frames: readonly Frame[]) => boolean): Promise<void> => {
    while (!condition(framesOf(received)) && !socket.closed) {
      await Promise.race([nextData(socket), closed]);
    }
  };
  const answer = async (): Promise<Http2Answer> => {
    await until((frames) => frames.some(({ endStream, type }) => endStream || ENDS_STREAM.has(type)));
    socket.destroy();
    const frames = framesOf(received);
    return { frames, body: bodyOf(frames), end: end ?? 'left' };
  };
  return {
    socket,
    answer: answer(),
    received: (bytes) => until((frames) => bodyOf(frames).length >= bytes),
  };
}

/** What RST_STREAM (the first four bytes) or GOAWAY (the last four of eight) give as their code. */
export function errorCode({ type, payload }: Frame): number {
  return payload.readUInt32BE(type === 'GOAWAY' ? 4 : 0);
}

const FRAME_TYPE = [
  'DATA',
  'HEADERS',
  'other',
  'RST_STREAM',
  'SETTINGS',
  'other',
  'other',
  'GOAWAY',
] as const;
const ENDS_STREAM: ReadonlySet<Frame['type']> = new Set(['RST_STREAM']);
const ANSWER: ReadonlySet<Frame['type']> = new Set(['DATA', 'HEADERS', 'RST_STREAM', 'GOAWAY']);
const END_STREAM = 0x1;
const END_HEADERS = 0x4;

function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + 9 <= bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    const type = FRAME_TYPE[bytes.readUInt8(at + 3)] ?? 'other';
    const flagged = (type === 'DATA' || type === 'HEADERS') && (bytes.readUInt8(at + 4) & END_STREAM) !== 0;
    frames.push({ type, endStream: flagged, payload: bytes.subarray(at + 9, end) });
    at = end;
  }
  return frames.filter(({ type }) => ANSWER.has(type));
}

function bodyOf(frames: readonly Frame[]): Buffer {
  return Buffer.concat(frames.filter(({ type }) => type === 'DATA').map(({ payload }) => payload));
}

function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

/** A literal field without indexing and without Huffman coding (RFC 7541, 6.2.2); shorter than 127 bytes. */
function literalField([name, value]: readonly [string, string]): Buffer {
  return Buffer.concat([
    Buffer.of(0, name.length),
    Buffer.from(name),
    Buffer.of(value.length),
    Buffer.from(value),
  ]);
}
