/** Ports of the loopback interface, chosen by the system. */
import { once } from 'node:events';
import net from 'node:net';

/** Lets a server listen on a free port of 127.0.0.1 and gives the port. */
export async function listen(server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port');
  return address.port;
}

/**
 * A port that nothing listens on at this moment, for programs that cannot choose one themselves. Somebody
 * else may take it before they do; what then fails to start says so.
 */
export async function findFreePort(): Promise<number> {
  const server = net.createServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}
