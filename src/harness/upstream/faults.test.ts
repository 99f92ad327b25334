import { once } from 'node:events';
import { connect, constants } from 'node:http2';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Transcript } from '../../protocol/transcript.ts';
import { createCa } from '../certs.ts';
import {
  errorCode,
  type Frame,
  type Http2Answer,
  postHttp2,
  postText,
  type RawAnswer,
  sendRaw,
} from '../testing/raw-client.ts';
import { loadScenarios } from './scenarios.ts';
import { startUpstream, type Upstream } from './upstream.ts';

/** No timer of a scenario is as short, and no machine as busy. */
const SOON_MS = 1_000;

const ca = createCa();
let upstream: Upstream;

beforeAll(async () => {
  upstream = await startUpstream({ provider: 'anth', ca, scenarios: await loadScenarios(), seed: 'faults' });
});
afterAll(() => upstream[Symbol.asyncDispose]());

const request = (scenario: string, stream = true): Readonly<Record<string, unknown>> => ({
  model: 'claude-sonnet-5',
  stream,
  messages: [{ role: 'user', content: `scenario=${scenario}` }],
});

interface Seen<Answer> {
  readonly answer: Answer;
  readonly transcript: Transcript;
}

async function overH1(scenario: string, stream = true): Promise<Seen<RawAnswer> & { readonly text: string }> {
  const exchange = await sendRaw(
    upstream.url,
    postText('/v1/messages', request(scenario, stream)),
    ca.certPem,
  );
  const answer = await exchange.ended;
  return { answer, text: answer.bytes.toString('utf8'), transcript: await lastTranscript() };
}

async function overH2(scenario: string): Promise<Seen<Http2Answer>> {
  const exchange = await postHttp2(upstream.url, '/v1/messages', request(scenario), ca.certPem);
  const answer = await exchange.answer;
  return { answer, transcript: await lastTranscript() };
}

/** Of the exchange that is about to end: for answers whose end the client does not see. */
async function nextTranscript(): Promise<Transcript> {
  const before = upstream.transcripts().length;
  return await vi.waitUntil(() => upstream.transcripts()[before], { timeout: 5_000 });
}

async function lastTranscript(): Promise<Transcript> {
  await upstream.idle();
  const last = upstream.transcripts().at(-1);
  if (last === undefined) throw new Error('nothing was recorded');
  return last;
}

const eventsIn = (text: string | Buffer): number => text.toString().match(/^event: /gm)?.length ?? 0;
const LAST_CHUNK = /\r\n0\r\n\r\n$/;

describe('over HTTP/1.1', () => {
  test('truncated: the framing ends well, the message does not', async () => {
    const { answer, text, transcript } = await overH1('truncated');
    expect(eventsIn(text)).toBe(6);
    expect(text).toMatch(LAST_CHUNK);
    expect(text).not.toContain('message_stop');
    expect([answer.end, transcript.ending]).toEqual(['FIN', 'complete']);
  });

  test('reset-before-head: a TCP reset and not one byte', async () => {
    const { answer, transcript } = await overH1('reset-before-head');
    expect([answer.bytes.length, answer.end]).toEqual([0, 'ECONNRESET']);
    expect(transcript.ending).toBe('ended_by_self');
    expect(transcript).not.toHaveProperty('response');
  });

  test('reset-midhead: a status line without the end of the head', async () => {
    const { answer, text, transcript } = await overH1('reset-midhead');
    expect(text).toMatch(/^HTTP\/1\.1 200/);
    expect(text).not.toContain('\r\n\r\n');
    expect([answer.end, transcript.ending]).toEqual(['ECONNRESET', 'ended_by_self']);
  });

  test('reset-midbody: six events, then a TCP reset', async () => {
    const { answer, text, transcript } = await overH1('reset-midbody');
    expect(eventsIn(text)).toBe(6);
    expect(text).not.toMatch(LAST_CHUNK);
    expect([answer.end, transcript.ending]).toEqual(['ECONNRESET', 'ended_by_self']);
  });

  test('close-midbody: six events, then FIN without the last chunk', async () => {
    const { answer, text, transcript } = await overH1('close-midbody');
    expect(eventsIn(text)).toBe(6);
    expect(text).not.toMatch(LAST_CHUNK);
    expect([answer.end, transcript.ending]).toEqual(['FIN', 'ended_by_self']);
  });

  test('close-before-head and close-midhead: FIN before there is an answer', async () => {
    expect((await overH1('close-before-head')).answer).toMatchObject({ end: 'FIN', bytes: Buffer.alloc(0) });
    const { answer, text } = await overH1('close-midhead');
    expect([answer.end, text.includes('\r\n\r\n')]).toEqual(['FIN', false]);
  });

  test('close-short: fewer bytes than content-length promised', async () => {
    const { answer, text } = await overH1('close-short', false);
    const promised = Number(/Content-Length: (\d+)/.exec(text)?.[1]);
    const body = text.slice(text.indexOf('\r\n\r\n') + 4);
    expect(promised).toBeGreaterThan(200);
    expect([body.length, answer.end]).toEqual([200, 'FIN']);
  });

  test('malformed-chunk: six good chunks and one whose size is no number', async () => {
    const { text, transcript } = await overH1('malformed-chunk');
    expect(eventsIn(text)).toBe(6);
    expect(text).toMatch(/\r\nnot-a-number\r\n$/);
    expect(transcript.ending).toBe('ended_by_self');
  });

  test('gzip-cut: the compressed body stops after 300 bytes under a clean end', async () => {
    const { text, transcript } = await overH1('gzip-cut');
    expect(text).toContain('Content-Encoding: gzip');
    expect([transcript.response?.body.bytes, transcript.ending]).toEqual([300, 'complete']);
  });

  test.each(['hang-before-head', 'hang-midhead', 'hang-midbody'])(
    '%s: silent until the client leaves, which is noticed at once',
    async (scenario) => {
      const arrived = Promise.withResolvers<boolean>();
      upstream.play(scenario, { when: () => (arrived.resolve(true), true) });
      const exchange = await sendRaw(upstream.url, postText('/v1/messages', request('text')), ca.certPem);
      await arrived.promise;
      if (scenario === 'hang-midbody') await exchange.until((text) => eventsIn(text) === 6);
      if (scenario === 'hang-midhead') await exchange.until((text) => text.startsWith('HTTP/1.1 200'));
      const left = performance.now();
      exchange.socket.destroy();
      await upstream.idle();
      expect(performance.now() - left).toBeLessThan(SOON_MS);
      expect((await lastTranscript()).ending).toBe('cut_by_peer');
    },
  );

  test('close-afterwards: a whole answer on a connection said to persist, then FIN', async () => {
    const keptAlive = postText('/v1/messages', request('close-afterwards')).replace('close', 'keep-alive');
    const exchange = await sendRaw(upstream.url, keptAlive, ca.certPem);
    const { bytes, end } = await exchange.ended;
    expect(bytes.toString()).toContain('Connection: keep-alive');
    expect(bytes.toString()).toMatch(LAST_CHUNK);
    expect([end, (await lastTranscript()).ending]).toEqual(['FIN', 'complete']);
  });

  test('goaway, which HTTP/1.1 lacks: refused is FIN before the head, graceful is FIN after the answer', async () => {
    expect((await overH1('goaway-refused')).answer).toMatchObject({ end: 'FIN', bytes: Buffer.alloc(0) });
    const { text, transcript } = await overH1('goaway-graceful');
    expect(text).toMatch(LAST_CHUNK);
    expect(transcript.ending).toBe('complete');
  });

  test('a fault counted in events leaves a JSON answer whole', async () => {
    const { text, transcript } = await overH1('reset-midbody', false);
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({ type: 'message' });
    expect(transcript.ending).toBe('complete');
  });

  test('a client that leaves in the middle of a paced stream is noticed within 100 ms', async () => {
    const exchange = await sendRaw(upstream.url, postText('/v1/messages', request('long-paced')), ca.certPem);
    await exchange.until((text) => eventsIn(text) > 4);
    const left = performance.now();
    exchange.socket.destroy();
    await upstream.idle();
    expect(performance.now() - left).toBeLessThan(SOON_MS);
    expect((await lastTranscript()).ending).toBe('cut_by_peer');
  });
});

describe('over HTTP/2', () => {
  const last = ({ frames }: Http2Answer): Frame | undefined => frames.at(-1);
  const ended = ({ frames }: Http2Answer): boolean => frames.some(({ endStream }) => endStream);

  test.each([
    ['rst-refused', 7, 0],
    ['rst-internal-before-head', 2, 0],
    ['rst-internal-midbody', 2, 6],
    ['rst-cancel-midbody', 8, 6],
    ['rst-noerror-midbody', 0, 6],
    ['malformed-chunk', 1, 6],
  ])('%s: RST_STREAM %i after %i events, and no END_STREAM', async (scenario, code, events) => {
    const { answer, transcript } = await overH2(scenario);
    expect(last(answer)).toMatchObject({ type: 'RST_STREAM' });
    expect(answer.frames.filter(({ type }) => type === 'RST_STREAM').map(errorCode)).toEqual([code]);
    expect([ended(answer), eventsIn(answer.body)]).toEqual([false, events]);
    expect([transcript.http, transcript.ending]).toEqual(['2', 'ended_by_self']);
  });

  test('truncated: END_STREAM after six events', async () => {
    const { answer, transcript } = await overH2('truncated');
    expect([eventsIn(answer.body), ended(answer)]).toEqual([6, true]);
    expect(transcript.ending).toBe('complete');
  });

  test.each([
    ['reset-before-head', 'ECONNRESET', 0],
    ['reset-midhead', 'ECONNRESET', 0],
    ['reset-midbody', 'ECONNRESET', 6],
    ['close-before-head', 'FIN', 0],
    ['close-midbody', 'FIN', 6],
  ])(
    '%s: the connection ends by %s, without END_STREAM, RST_STREAM or GOAWAY',
    async (scenario, end, events) => {
      const { answer, transcript } = await overH2(scenario);
      expect([answer.end, ended(answer), eventsIn(answer.body)]).toEqual([end, false, events]);
      expect(answer.frames.map(({ type }) => type)).not.toContain('GOAWAY');
      expect(answer.frames.map(({ type }) => type)).not.toContain('RST_STREAM');
      expect(transcript.ending).toBe('ended_by_self');
    },
  );

  test('goaway-refused: last-stream-id is below the stream', async () => {
    const exchange = await postHttp2(upstream.url, '/v1/messages', request('goaway-refused'), ca.certPem);
    const { ending } = await nextTranscript();
    exchange.socket.end();
    const { frames } = await exchange.answer;
    expect(frames.map(({ type }) => type)).toEqual(['GOAWAY']);
    expect(frames[0]?.payload.toString('hex')).toBe('0000000000000000');
    expect(ending).toBe('ended_by_self');
  });

  test('goaway-graceful: the announced last stream still ends well', async () => {
    const { answer, transcript } = await overH2('goaway-graceful');
    const goaways = answer.frames.filter(({ type }) => type === 'GOAWAY');
    expect(goaways.map(({ payload }) => payload.toString('hex'))).toEqual(['0000000100000000']);
    expect(ended(answer)).toBe(true);
    expect(answer.body.toString()).toContain('message_stop');
    expect(transcript.ending).toBe('complete');
  });

  test('a client that resets its stream is noticed within 100 ms', async () => {
    const session = connect(upstream.url, { ca: ca.certPem });
    const stream = session.request({ ':method': 'POST', ':path': '/v1/messages', 'x-api-key': 'test' });
    stream.end(JSON.stringify(request('long-paced')));
    await once(stream, 'data');
    const left = performance.now();
    stream.close(constants.NGHTTP2_CANCEL);
    await upstream.idle();
    expect(performance.now() - left).toBeLessThan(SOON_MS);
    expect((await lastTranscript()).ending).toBe('cut_by_peer');
    session.destroy();
  });
});
