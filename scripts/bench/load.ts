/**
 * The load of the benchmark, a process of its own that talks to whoever forked it: raw sockets kept alive,
 * answers read just far enough to know where they end. The first answer of every connection is decoded and
 * compared with what the upstream sent; the others must have the right status and at least its length.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeAnswer } from './answer.ts';
import type { ConnectCommand, LoadCommand, LoadReply, LoadResult, RunCommand } from './load-protocol.ts';
import { expectedBody, requestBytes, WORKS, type Work } from './work.ts';

const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');
const CONNECT_AT_ONCE = 100;

/** From the request's first byte sent to the first byte of the body, and to the last. */
interface Took {
  readonly firstByteMs: number;
  readonly wholeMs: number;
}

interface Connection {
  /** Sends one request; resolves once the answer ended. */
  exchange(): Promise<Took>;
  /** Sends one request; resolves at the first byte of the body and leaves the stream running. */
  open(): Promise<void>;
  close(): void;
}

let connections: Connection[] = [];

process.on('disconnect', () => process.exit(0));
process.on('message', (command: LoadCommand) => {
  handle(command).then(
    (result) => reply(result === undefined ? { ok: true } : { ok: true, result }),
    (error: unknown) => reply({ ok: false, message: error instanceof Error ? error.message : String(error) }),
  );
});

const reply = (message: LoadReply): void => void process.send?.(message);

async function handle(command: LoadCommand): Promise<LoadResult | undefined> {
  if (command.do === 'run') return run(command);
  if (command.do === 'connect') connections = createConnections(command);
  else if (command.do === 'hold') await hold();
  else close();
  return undefined;
}

function createConnections(command: ConnectCommand): Connection[] {
  const work = WORKS.find(({ name }) => name === command.work);
  if (work === undefined) throw new Error(`no such work: ${command.work}`);
  return Array.from({ length: command.connections }, () => createConnection(work, command));
}

async function hold(): Promise<void> {
  for (let at = 0; at < connections.length; at += CONNECT_AT_ONCE) {
    await Promise.all(connections.slice(at, at + CONNECT_AT_ONCE).map((connection) => connection.open()));
  }
}

function close(): void {
  for (const connection of connections) connection.close();
  connections = [];
}

/** Every connection works at least once, and until `ms` have passed; resolves when the last answer ended. */
async function run({ ms, pauseMs = 0 }: RunCommand): Promise<LoadResult> {
  const took: Took[] = [];
  const started = performance.now();
  await Promise.all(
    connections.map(async (connection) => {
      do {
        took.push(await connection.exchange());
        if (pauseMs > 0) await sleep(pauseMs);
      } while (performance.now() - started < ms);
    }),
  );
  const wallMs = performance.now() - started;
  const ascending = (name: keyof Took): number[] => took.map((one) => one[name]).toSorted((a, b) => a - b);
  return {
    exchanges: took.length,
    wallMs,
    firstByteMs: ascending('firstByteMs'),
    wholeMs: ascending('wholeMs'),
  };
}

function createConnection(work: Work, to: ConnectCommand): Connection {
  const request = requestBytes(work, `127.0.0.1:${to.port}`, to.headers);
  const expected = expectedBody(work.shape);
  let socket: Socket | undefined;
  let copy: Buffer[] | undefined = to.verbatim && expected !== null ? [] : undefined;
  let started = 0;
  let firstByteAt = 0;
  let head: Buffer | undefined;
  let inBody = false;
  /** Bytes of a body of known length still to come; -1 for a chunked one. */
  let missing = -1;
  let received = 0;
  let tail: Buffer = Buffer.alloc(0);
  let onFirstByte: (() => void) | undefined;
  let resolveEnd: ((took: Took) => void) | undefined;
  let rejectEnd: ((error: Error) => void) | undefined;

  return {
    exchange: () => send(),
    open: () =>
      new Promise((resolve, reject) => {
        onFirstByte = resolve;
        send().catch(reject);
      }),
    close() {
      rejectEnd = undefined;
      socket?.destroy();
    },
  };

  function send(): Promise<Took> {
    return new Promise((resolve, reject) => {
      resolveEnd = resolve;
      rejectEnd = reject;
      inBody = false;
      head = undefined;
      received = 0;
      started = performance.now();
      socket ??= dial();
      socket.write(request);
    });
  }

  function dial(): Socket {
    return connect({ host: '127.0.0.1', port: to.port, noDelay: true })
      .on('data', read)
      .on('error', (error) => rejectEnd?.(error))
      .on('close', () => rejectEnd?.(new Error('the connection was closed before the answer ended')));
  }

  function read(piece: Buffer): void {
    copy?.push(piece);
    if (inBody) readBody(piece);
    else readHead(piece);
  }

  function readHead(piece: Buffer): void {
    const start = head === undefined ? piece : Buffer.concat([head, piece]);
    const end = start.indexOf(HEAD_END);
    if (end < 0) {
      head = start;
      return;
    }
    const text = start.toString('latin1', 0, end);
    if (!text.startsWith('HTTP/1.1 200')) rejectEnd?.(new Error(`answered ${text.slice(0, 60)}`));
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
    inBody = true;
    firstByteAt = 0;
    missing = length === undefined ? -1 : Number(length);
    if (start.length > end + HEAD_END.length) readBody(start.subarray(end + HEAD_END.length));
  }

  function readBody(piece: Buffer): void {
    if (firstByteAt === 0) {
      firstByteAt = performance.now();
      onFirstByte?.();
    }
    received += piece.length;
    if (missing >= 0 ? received >= missing : endsChunked(piece)) finish();
  }

  /** The five bytes that end a chunked body cannot end an event, which ends in blank lines. */
  function endsChunked(piece: Buffer): boolean {
    tail = piece.length >= LAST_CHUNK.length ? piece : Buffer.concat([tail, piece]);
    tail = tail.subarray(-LAST_CHUNK.length);
    return tail.equals(LAST_CHUNK);
  }

  function finish(): void {
    const whole = copy === undefined ? null : decodeAnswer(Buffer.concat(copy));
    copy = undefined;
    if (
      expected !== null &&
      to.verbatim &&
      (received < expected.length || whole?.equals(expected) === false)
    ) {
      rejectEnd?.(new Error('the answer is not what the upstream sent'));
    } else {
      resolveEnd?.({ firstByteMs: firstByteAt - started, wholeMs: performance.now() - started });
    }
  }
}
