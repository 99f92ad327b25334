/** A mock of one provider: listens, records all that it sees and sends, and answers as its scenarios say. */
import { type Clock, systemClock } from '../../platform/clock.ts';
import type { Transcript } from '../../protocol/transcript.ts';
import type { Ca } from '../certs.ts';
import type { ProviderId, UpstreamMock } from '../types/world.ts';
import { chooseScenario, isMessage, type QueuedPlay, servedModel } from './choose.ts';
import { countsOf } from './counts.ts';
import { explain } from './explain.ts';
import { createFacts, type RequestFacts } from './facts.ts';
import { listen } from './listen.ts';
import { perform } from './perform.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { render } from './render.ts';
import type { Scenarios } from './scenarios.ts';
import { createSeeded } from './seeded.ts';
import { fill, type TemplateContext } from './template.ts';
import type { Arrival } from './wire.ts';

export interface UpstreamOptions {
  readonly provider: ProviderId;
  readonly ca: Ca;
  readonly scenarios: Scenarios;
  /** Same seed, same requests in the same order: the same answers. */
  readonly seed: string;
  /** False: plain HTTP/1.1. Default true. */
  readonly tls?: boolean;
  /** Whether HTTP/2 is offered (TLS only). Default true. */
  readonly h2?: boolean;
  /** Whether transcripts hold the bodies, not just their hashes. Default true. */
  readonly keepBodies?: boolean;
  /** Called with each transcript as soon as its exchange has ended. */
  readonly onTranscript?: (transcript: Transcript) => void;
  readonly clock?: Clock;
}

export interface PlayOptions {
  /** Default 1. */
  readonly times?: number;
  /** Which requests may have it; by default those for a message. */
  readonly when?: (facts: RequestFacts) => boolean;
}

export interface Upstream extends UpstreamMock {
  /** As the provider's base URL is configured: Z.AI's has a path. */
  readonly url: string;
  /** In order of ending, live. */
  transcripts(): readonly Transcript[];
  /** What reached the port and was no HTTP exchange: parse errors, failed handshakes. */
  malformed(): readonly string[];
  /** Queues a scenario for the next requests that fit; throws on an unknown name. */
  play(name: string, options?: PlayOptions): void;
}

/** Listens on a free loopback port; the certificate is for `localhost` and `127.0.0.1`. */
export async function startUpstream({
  provider: id,
  ca,
  scenarios,
  seed,
  tls = true,
  h2 = true,
  keepBodies = true,
  onTranscript,
  clock = systemClock,
}: UpstreamOptions): Promise<Upstream> {
  const provider = scenarios.provider(id);
  const transcripts: Transcript[] = [];
  const malformed: string[] = [];
  const queue: QueuedPlay[] = [];
  const underWay = new Set<Promise<void>>();
  const closing = new AbortController();
  let arrivals = 0;

  const answer = async (
    arrival: Arrival,
    facts: RequestFacts,
    recorder: Recorder,
    ordinal: number,
  ): Promise<Transcript> => {
    const name = chooseScenario({ facts, queue, provider, exists: (asked) => scenarios.has(asked) });
    const scenario = scenarios.get(name);
    const context = contextOf(facts, ordinal);
    const wantsStream = isMessage(facts, provider) && facts.wantsStream();
    const ending = await perform({
      scenario,
      rendered: await render({ scenario, provider, context, wantsStream }),
      wire: arrival.wire,
      recorder,
      clock,
      closing: closing.signal,
      headOnly: arrival.method === 'HEAD',
    });
    return recorder.finish(ending, {
      requestId: context.requestId,
      scenario: `${name}: ${explain(scenario)}`,
    });
  };

  const contextOf = (facts: RequestFacts, ordinal: number): TemplateContext => {
    const model = facts.model();
    const base = {
      requestId: '',
      messageId: '',
      provider: id,
      model,
      servedModel: servedModel(model, provider),
      now: clock.now(),
      seeded: createSeeded(seed, id, ordinal),
      counts: countsOf(seed, id, ordinal),
    };
    return {
      ...base,
      requestId: fill(provider.request_id, base),
      messageId: fill(provider.message_id, base),
    };
  };

  const record = async (arrival: Arrival): Promise<void> => {
    arrivals += 1;
    const ordinal = arrivals;
    const recorder = createRecorder({ arrival, id: `${id}-${ordinal}`, provider: id, clock, keepBodies });
    const facts = await readRequest(arrival, recorder);
    const transcript =
      facts === null
        ? recorder.finish(closing.signal.aborted ? 'ended_by_self' : 'cut_by_peer')
        : await answer(arrival, facts, recorder, ordinal);
    transcripts.push(transcript);
    onTranscript?.(transcript);
  };

  const onArrival = (arrival: Arrival): void => {
    const exchange = record(arrival).finally(() => underWay.delete(exchange));
    underWay.add(exchange);
  };

  const listener = await listen({
    certificate: tls ? ca.issue(['localhost', '127.0.0.1']) : undefined,
    h2,
    onArrival,
    onMalformed: (problem) => malformed.push(problem),
  });
  return {
    url: `${tls ? 'https' : 'http'}://localhost:${listener.port}${provider.base_path}`,
    transcripts: () => transcripts,
    malformed: () => malformed,
    openSockets: () => listener.openSockets(),
    play(name, { times = 1, when = (facts: RequestFacts) => isMessage(facts, provider) } = {}) {
      scenarios.get(name);
      queue.push({ name, left: times, when });
    },
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await listener[Symbol.asyncDispose]();
      await Promise.all(underWay);
    },
  };
}

/** Null where the client left before its request was whole. */
async function readRequest(arrival: Arrival, recorder: Recorder): Promise<RequestFacts | null> {
  const { method, target, headers, body } = arrival;
  const pieces: Buffer[] = [];
  await new Promise<void>((resolve) => {
    body.on('data', (piece: Buffer) => {
      recorder.requestPiece(piece);
      pieces.push(piece);
    });
    body.once('end', resolve);
    body.once('close', resolve);
    body.on('error', () => resolve());
  });
  return arrival.bodyIsWhole() ? createFacts(method, target, headers, Buffer.concat(pieces)) : null;
}
