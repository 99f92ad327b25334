import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startLoad } from './load.ts';
import { listen } from './ports.ts';

describe('a load', () => {
  /** Answers at once, until it is closed. */
  async function startServer(answer: (request: http.IncomingMessage, response: http.ServerResponse) => void) {
    const server = http.createServer((request, response) => {
      request.resume();
      request.on('end', () => answer(request, response));
    });
    return { url: `http://127.0.0.1:${await listen(server)}`, server };
  }

  const load = (url: string) =>
    startLoad({
      url,
      width: 3,
      pauseMs: 1,
      name: 'round-1',
      next: (index) => ({
        target: `/v1/messages?n=${index}`,
        headers: { 'x-api-key': 'made-up' },
        body: 'ö',
      }),
    });

  it('sends under ids of its own, several at once, and remembers since when it had each answer', async () => {
    const seen: (string | undefined)[][] = [];
    const { url, server } = await startServer(({ headers, url: target }, response) => {
      seen.push([String(headers['x-client-request-id']), headers['content-length'], target]);
      response.end('ok');
    });
    const running = load(url);
    while (running.wholeBefore(Date.now()).length < 20) await sleep(5);
    await running.stop();
    server.close();
    const ids = running.wholeBefore(Date.now());
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(seen.map(([id]) => id))).toEqual(new Set(ids));
    expect(seen[0]).toEqual(['round-1-1', '2', '/v1/messages?n=1']);
    expect(running.wholeBefore(Date.now() - 60_000)).toEqual([]);
  });

  it('does not take a broken answer for a whole one, and ends when nobody is there any more', async () => {
    const asked: http.IncomingMessage[] = [];
    const { url, server } = await startServer((request, response) => {
      asked.push(request);
      response.writeHead(200, { 'content-length': '10' });
      response.write('half', () => response.destroy());
    });
    const running = load(url);
    while (asked.length < 3) await sleep(5);
    await running.stop();
    server.close();
    expect(asked).toHaveLength(3);
    expect(running.wholeBefore(Date.now())).toEqual([]);
  });
});
