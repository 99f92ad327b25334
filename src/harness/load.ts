/**
 * Sends requests to a target, several at once, one after the other, until it is told to stop or the target is gone; and
 * remembers which answers it had whole, and since when.
 */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LoadRequest {
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Load {
  /** Ids of the answers that were whole at a time (epoch milliseconds). */
  wholeBefore(time: number): readonly string[];
  /** Resolves once nothing is under way. */
  stop(): Promise<void>;
}

/** `next` makes the request that goes out under an id, which is sent as `x-client-request-id`. */
export function startLoad({
  url,
  width,
  pauseMs,
  name,
  next,
}: {
  readonly url: string;
  readonly width: number;
  /** After each answer, so that the load is the same on a fast machine. */
  readonly pauseMs: number;
  /** Begins each id. */
  readonly name: string;
  readonly next: (index: number) => LoadRequest;
}): Load {
  const agent = new http.Agent({ keepAlive: true, maxSockets: width });
  const whole = new Map<string, number>();
  const ending = new AbortController();
  let sent = 0;

  async function worker(): Promise<void> {
    while (!ending.signal.aborted) {
      sent += 1;
      const id = `${name}-${sent}`;
      // What breaks, breaks because the target was killed: then there is nobody to ask any more.
      if (!(await ask(next(sent), id))) return;
      whole.set(id, Date.now());
      await sleep(pauseMs);
    }
  }

  async function ask({ target, headers, body }: LoadRequest, id: string): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const request = http.request(`${url}${target}`, {
      method: 'POST',
      agent,
      headers: { ...headers, 'x-client-request-id': id, 'content-length': Buffer.byteLength(body) },
    });
    request.on('error', () => resolve(false));
    request.on('response', (response) => {
      response.on('error', () => resolve(false));
      response.on('close', () => resolve(response.complete));
      response.resume();
    });
    request.end(body);
    return promise;
  }

  const workers = Promise.all(Array.from({ length: width }, worker));
  return {
    wholeBefore: (time) => [...whole].filter(([, at]) => at <= time).map(([id]) => id),
    async stop() {
      ending.abort();
      await workers;
      agent.destroy();
    },
  };
}
