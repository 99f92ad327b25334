/** A socket as a plain stream, so that frames of our own can be written between those of node:http2. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

export function createTransport(socket: Socket): Duplex {
  const transport = new Duplex({
    read: () => void socket.resume(),
    write: (bytes: Buffer, _encoding, done) => void socket.write(bytes, done),
    final: (done) => void socket.end(done),
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (bytes) => {
    if (!transport.push(bytes)) socket.pause();
  });
  socket.on('end', () => transport.push(null));
  socket.on('error', (error) => transport.destroy(error));
  socket.on('close', () => transport.destroy());
  return transport;
}
