/**
 * The yardstick of the benchmark: the least that a proxy on `node:http` can be. It pipes both ways and reads
 * nothing. `node node-pipe.ts PORT UPSTREAM_PORT`.
 */
import { Agent, createServer, request } from 'node:http';

const [port, upstreamPort] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true });

createServer((incoming, outgoing) => {
  const { method, url: path, rawHeaders: headers } = incoming;
  const upstream = request({ host: '127.0.0.1', port: upstreamPort, agent, method, path, headers });
  upstream.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(outgoing);
  });
  upstream.on('error', () => outgoing.destroy());
  outgoing.on('close', () => upstream.destroy());
  incoming.pipe(upstream);
}).listen({ host: '127.0.0.1', port, backlog: 4096 });
