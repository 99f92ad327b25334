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
    // All but the last of each client.
    const followed = running.followedBefore(Date.now());
    expect(followed).toHaveLength(ids.length - 3);
    expect(ids).toEqual(expect.arrayContaining([...followed]));
    expect(followed).toContain('round-1-1');
  });

  it('does not take a broken answer for a whole one, nor an error for a success, and goes on', async () => {
    const asked: http.IncomingMessage[] = [];
    const { url, server } = await startServer((request, response) => {
      asked.push(request);
      if (asked.length % 2 === 0) return response.writeHead(500).end('an error');
      response.writeHead(200, { 'content-length': '10' });
      response.write('half', () => response.destroy());
      return undefined;
    });
    const running = load(url);
    while (asked.length < 8) await sleep(5);
    await running.stop();
    server.close();
    const bad = running.badBefore(Date.now());
    expect(new Set(bad.map(({ what }) => what))).toEqual(new Set(['status 500', 'broken off: ECONNRESET']));
    expect(bad.length).toBeGreaterThanOrEqual(8);
    const whole = new Set(running.wholeBefore(Date.now()));
    expect(bad.filter(({ id }) => whole.has(id)).map(({ what }) => what)).not.toContain(
      'broken off: ECONNRESET',
    );
    expect(whole.size).toBe(bad.filter(({ what }) => what === 'status 500').length);
    expect(running.badBefore(Date.now() - 60_000)).toEqual([]);
  });

  it('ends when nobody is there any more', async () => {
    const { url, server } = await startServer((_request, response) => response.end('ok'));
    const running = load(url);
    while (running.wholeBefore(Date.now()).length < 3) await sleep(5);
    server.close();
    server.closeAllConnections();
    const refused = () => running.badBefore(Date.now()).filter(({ what }) => what.includes('ECONNREFUSED'));
    while (refused().length < 3) await sleep(5);
    await sleep(50);
    expect(refused()).toHaveLength(3);
    await running.stop();
  });
});
