import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../analysis/evidence.ts';
import { decodedBody } from '../../../analysis/oracle/answer.ts';
import { greenRun, type Mutable } from '../../../analysis/testing/green-run.ts';
import type { Payload } from '../../../protocol/transcript.ts';
import { type Case, caseFileOf } from './case-file.ts';
import { readingsOf } from './readings.ts';

type Transcripts = Mutable<Evidence>['client'];
type Both = {
  readonly client: Transcripts[number];
  readonly upstream: Transcripts[number];
  readonly evidence: Mutable<Evidence>;
};

/** What is read of the sonnet stream of a green run, once it was altered. */
function readings(alter: (both: Both) => void): readonly string[] {
  const evidence = greenRun();
  const client = evidence.client.find(({ id }) => id === 'c-sonnet-stream');
  const upstream = evidence.upstream.find(({ requestId }) => requestId === client?.requestId);
  if (client === undefined || upstream === undefined) throw new Error('the green run has no sonnet stream');
  for (const transcript of [client, upstream]) unpack(transcript);
  alter({ client, upstream, evidence });
  const { cases } = caseFileOf(evidence, []);
  const own = cases.find((one): one is Case => one.client === client);
  if (own === undefined) throw new Error('the stream became no case');
  return readingsOf(own);
}

/** In one piece and without its compression. */
function unpack(transcript: Both['client']): void {
  const { response } = transcript;
  const plain = decodedBody(structuredClone(transcript));
  if (response === undefined || plain === null) return;
  response.headers = response.headers.filter(([name]) => name.toLowerCase() !== 'content-encoding');
  response.body = payload(plain);
}

const payload = (
  bytes: Buffer,
  pieces: readonly (readonly [number, number])[] = [[1, bytes.length]],
): Mutable<Payload> => ({
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
  base64: bytes.toString('base64'),
  pieces: pieces.map(([ms, length]) => [ms, length]),
});

const textOf = ({ response }: Both['client']): string =>
  Buffer.from(response?.body.base64 ?? '', 'base64').toString();

/** Changes the stream as the client got it. */
const streamAs =
  (change: (text: string) => string) =>
  ({ client }: Both) => {
    if (client.response !== undefined) client.response.body = payload(Buffer.from(change(textOf(client))));
  };

const blocks = (text: string): string[] => text.split('\n\n').filter((block) => block !== '');
const joined = (parts: readonly string[]): string => parts.map((part) => `${part}\n\n`).join('');

describe('what the bytes tell of a difference', () => {
  it('is nothing where there is none', () => {
    expect(readings(() => undefined)).toEqual([]);
  });

  it('names the events that are missing, new, doubled or in another order', () => {
    expect(
      readings(
        streamAs((text) => joined(blocks(text).filter((block) => !block.includes('event: message_stop')))),
      ),
    ).toEqual(['message_stop never arrived']);
    expect(readings(streamAs((text) => `event: ping\ndata: {"type":"ping","odd":1}\n\n${text}`))).toEqual([
      'ping arrived and was never sent',
    ]);
    expect(readings(streamAs((text) => joined([blocks(text)[0] ?? '', ...blocks(text)])))).toEqual([
      'message_start arrived twice',
    ]);
    expect(readings(streamAs((text) => joined(blocks(text).toReversed())))).toEqual([
      expect.stringContaining('in another order'),
    ]);
  });

  it('tells a body that was unpacked from one that was changed', () => {
    const pack =
      (encodingAtClient: string | null) =>
      ({ client, upstream }: Both): void => {
        const plain = Buffer.from(textOf(upstream));
        if (client.response === undefined || upstream.response === undefined) return;
        upstream.response.body = payload(gzipSync(plain));
        upstream.response.headers.push(['content-encoding', 'gzip']);
        client.response.body = payload(plain);
        if (encodingAtClient !== null) client.response.headers.push(['content-encoding', encodingAtClient]);
      };
    expect(readings(pack('gzip'))).toContain(
      'the client got the gzip body unpacked, and is still told that it is gzip',
    );
    expect(readings(pack(null))).toContain('the client got the gzip body unpacked');
  });

  it('tells a request that was written anew, and headers that came or went', () => {
    const anew = readings(({ upstream }) => {
      const body = Buffer.from(upstream.request.body.base64 ?? '', 'base64').toString();
      upstream.request.body = payload(Buffer.from(JSON.stringify(JSON.parse(body), null, 2)));
    });
    expect(anew).toEqual(['the request body was parsed and written anew: the same JSON in other bytes']);
    const headers = readings(({ client, upstream }) => {
      client.request.headers.push(['x-lost', '1']);
      upstream.request.headers.push(['x-new', '1']);
    });
    expect(headers).toEqual([
      'request header x-lost did not arrive',
      'request header x-new was added on the way',
    ]);
  });

  it('tells a stream that was held back from one that was slow', () => {
    const paced =
      (last: number) =>
      ({ client, upstream }: Both): void => {
        const bytes = Buffer.from(textOf(upstream));
        const half = Math.floor(bytes.length / 2);
        if (client.response === undefined || upstream.response === undefined) return;
        upstream.response.body = payload(bytes, [
          [0, half],
          [800, bytes.length - half],
        ]);
        client.response.body = payload(bytes, [
          [last, half],
          [810, bytes.length - half],
        ]);
      };
    expect(readings(paced(805))).toEqual([
      'sent over 800 ms, all of it reached the client within 5.0 ms at the end: somebody held it back',
    ]);
    expect(readings(paced(10))).toEqual([]);
  });

  it('tells counts that are a multiple, or none', () => {
    const counted =
      (change: (n: number) => number) =>
      ({ evidence, client }: Both): void => {
        for (const event of evidence.usage.events) {
          if (
            event.event !== 'completion' ||
            event.upstream_request_id !== client.requestId ||
            event.tokens === undefined
          )
            continue;
          for (const kind of ['input', 'output', 'cache_read', 'cache_write_5m', 'cache_write_1h'] as const)
            event.tokens[kind] = change(event.tokens[kind]);
        }
      };
    expect(readings(counted((n) => 2 * n))).toEqual([
      'the log counts exactly 2 times what the upstream stated',
    ]);
    expect(readings(counted(() => 0))).toEqual([expect.stringMatching(/^the log counts no input, output/)]);
  });
});
