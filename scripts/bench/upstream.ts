/**
 * The upstream of the benchmark, a process of its own: the cheapest server that is still honest on the wire.
 * It reads requests whole and answers by the `work` in the query. Each event of a stream is a chunk and a
 * write of its own, without Nagle's delay. A fast stream (`sse`) makes all its writes in one turn of the event
 * loop, which hands them to the kernel together as `node:http` does; a paced or slow one is driven by a timer
 * of its own, so that the streams are out of step as real ones are.
 */
import { createServer, type Socket } from 'node:net';
import { FIRST_DELTA, JSON_ANSWER, PACE_MS, SHAPES, type Shape, SLOW_MS, STREAM_EVENTS } from './work.ts';

const HEAD_END = Buffer.from('\r\n\r\n');

const ANSWER_HEADERS = [
  'date: Thu, 01 Jan 2026 00:00:00 GMT',
  'request-id: req_011Benchmark',
  'anthropic-organization-id: 00000000-0000-0000-0000-000000000000',
  'anthropic-ratelimit-unified-status: allowed',
  'anthropic-ratelimit-unified-5h-status: allowed',
  'anthropic-ratelimit-unified-5h-reset: 1770000000',
  'anthropic-ratelimit-unified-5h-utilization: 0.1',
  'strict-transport-security: max-age=31536000; includeSubDomains; preload',
  'server: benchmark',
];

const head = (...headers: string[]): Buffer =>
  Buffer.from(`HTTP/1.1 200 OK\r\n${[...headers, ...ANSWER_HEADERS].join('\r\n')}\r\n\r\n`);

const JSON_BYTES = Buffer.concat([
  head('content-type: application/json', `content-length: ${JSON_ANSWER.length}`),
  JSON_ANSWER,
]);

const STREAM_HEAD = head(
  'content-type: text/event-stream; charset=utf-8',
  'cache-control: no-cache',
  'transfer-encoding: chunked',
);

const CHUNKS: readonly Buffer[] = [
  ...STREAM_EVENTS.map((event) =>
    Buffer.concat([Buffer.from(`${event.length.toString(16)}\r\n`), event, Buffer.from('\r\n')]),
  ),
  Buffer.from('0\r\n\r\n'),
];

const server = createServer({ noDelay: true }, serve);
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port });
});
process.on('disconnect', () => process.exit(0));

/** Requests of one connection, one after the other: the clients of the benchmark do not pipeline. */
function serve(socket: Socket): void {
  let pieces: Buffer[] = [];
  let missing = -1;
  let shape: Shape = 'json';
  socket.on('error', () => socket.destroy());
  socket.on('data', (piece) => {
    if (missing < 0) {
      const start = pieces.length === 0 ? piece : Buffer.concat([...pieces, piece]);
      const end = start.indexOf(HEAD_END);
      if (end < 0) {
        pieces = [start];
        return;
      }
      const text = start.toString('latin1', 0, end);
      pieces = [];
      shape = shapeOf(text);
      missing = contentLength(text) - (start.length - end - HEAD_END.length);
    } else {
      missing -= piece.length;
    }
    if (missing > 0) return;
    missing = -1;
    answer(socket, shape);
  });
}

function shapeOf(text: string): Shape {
  const name = /[?&]work=(\w+)/.exec(text)?.[1];
  return SHAPES.find((shape) => shape === name) ?? 'json';
}

const contentLength = (text: string): number => Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0);

function answer(socket: Socket, shape: Shape): void {
  if (shape === 'json') {
    socket.write(JSON_BYTES);
    return;
  }
  socket.cork();
  socket.write(STREAM_HEAD);
  if (shape === 'sse') for (const chunk of CHUNKS) socket.write(chunk);
  else playTimed(socket, shape);
  socket.uncork();
}

/** A paced stream ends after its events; a slow one repeats its deltas until the client goes. */
function playTimed(socket: Socket, shape: 'paced' | 'slow'): void {
  let next = 0;
  const timer = setInterval(step, shape === 'paced' ? PACE_MS : SLOW_MS);
  const stop = (): void => clearInterval(timer);
  socket.once('close', stop);
  step();

  function step(): void {
    socket.write(CHUNKS[next] ?? '');
    next += 1;
    if (shape === 'slow' && next === FIRST_DELTA + 1) next = FIRST_DELTA;
    if (next < CHUNKS.length) return;
    stop();
    socket.off('close', stop);
  }
}
