/**
 * Sends requests to a target, several at once, one after the other, until it is told to stop or the target is gone; and
 * remembers how each was answered, and when.
 */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LoadRequest {
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Load {
  /** Ids of the answers that were whole at a time (epoch milliseconds), whatever their status. */
  wholeBefore(time: number): readonly string[];
  /** Those of them after which the same client had another one: whoever answered has gone on since. */
  followedBefore(time: number): readonly string[];
  /** Those that were no success before a time, with what they were instead. */
  badBefore(time: number): readonly BadAnswer[];
  /** Resolves once nothing is under way. */
  stop(): Promise<void>;
}

export interface BadAnswer {
  readonly id: string;
  /** `status 500`, `broken off: ECONNRESET`. */
  readonly what: string;
}

type Ending = { readonly at: number } & ({ readonly status: number } | { readonly problem: string });
type Answer = Ending & { readonly client: number };

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
  const answers = new Map<string, Answer>();
  const ending = new AbortController();
  let sent = 0;

  async function worker(client: number): Promise<void> {
    while (!ending.signal.aborted) {
      sent += 1;
      const id = `${name}-${sent}`;
      const answer = { ...(await ask(next(sent), id)), client };
      answers.set(id, answer);
      // Then the target was killed. Whatever else breaks is no reason to be silent.
      if ('problem' in answer && answer.problem === REFUSED) return;
      await sleep(pauseMs);
    }
  }

  async function ask({ target, headers, body }: LoadRequest, id: string): Promise<Ending> {
    const { promise, resolve } = Promise.withResolvers<Ending>();
    const fail = (error: NodeJS.ErrnoException): void =>
      resolve({ at: Date.now(), problem: error.code ?? error.message });
    const request = http.request(`${url}${target}`, {
      method: 'POST',
      agent,
      headers: { ...headers, 'x-client-request-id': id, 'content-length': Buffer.byteLength(body) },
    });
    request.on('error', fail);
    request.on('response', (response) => {
      response.on('error', fail);
      response.on('close', () => {
        const { complete, statusCode: status = 0 } = response;
        resolve({ at: Date.now(), ...(complete ? { status } : { problem: 'its end is missing' }) });
      });
      response.resume();
    });
    request.end(body);
    return promise;
  }

  const wholeAt = (time: number) =>
    [...answers].filter(([, answer]) => answer.at <= time && 'status' in answer);

  const workers = Promise.all(Array.from({ length: width }, (_, client) => worker(client)));
  return {
    wholeBefore: (time) => wholeAt(time).map(([id]) => id),
    followedBefore(time) {
      const whole = wholeAt(time);
      const last = new Map(whole.map(([id, { client }]) => [client, id]));
      return whole.flatMap(([id, { client }]) => (last.get(client) === id ? [] : [id]));
    },
    badBefore: (time) =>
      [...answers].flatMap(([id, answer]) => {
        // The kill shows in this very millisecond, too.
        const what = answer.at < time ? problemOf(answer) : null;
        return what === null ? [] : [{ id, what }];
      }),
    async stop() {
      ending.abort();
      await workers;
      agent.destroy();
    },
  };
}

const REFUSED = 'ECONNREFUSED';

function problemOf(answer: Answer): string | null {
  if ('problem' in answer) return `broken off: ${answer.problem}`;
  return answer.status === 200 ? null : `status ${answer.status}`;
}
