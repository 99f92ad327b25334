/** A TCP server under a test's command, for what no well-behaved HTTP server does. */
import net from 'node:net';
import { listen } from '../ports.ts';

export interface Peer extends AsyncDisposable {
  readonly url: string;
  /** What all connections sent so far, as latin1. */
  readonly heard: () => string;
}

/** Hands each connection to the test. Both ends stay half-open until the test ends its own. */
export async function startPeer(onConnection: (socket: net.Socket) => void): Promise<Peer> {
  const sockets = new Set<net.Socket>();
  let heard = '';
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    // Resets are what many tests are about; the test asks its own end of them.
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1');
    });
    onConnection(socket);
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    heard: () => heard,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
