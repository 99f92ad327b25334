/** Writes the transcript of one exchange while it happens. */
import { createHash } from 'node:crypto';
import type { Clock } from '../../platform/clock.ts';
import type { Ending, HeaderPairs, Payload, Transcript } from '../../protocol/transcript.ts';
import type { Arrival } from './wire.ts';

export interface Recorder {
  requestPiece(bytes: Buffer): void;
  responseHead(status: number, headers: HeaderPairs): void;
  responsePiece(bytes: Buffer): void;
  finish(ending: Ending, answer?: { readonly requestId: string; readonly scenario: string }): Transcript;
}

export function createRecorder({
  arrival,
  id,
  provider,
  clock,
  keepBodies,
}: {
  readonly arrival: Arrival;
  readonly id: string;
  readonly provider: string;
  readonly clock: Clock;
  readonly keepBodies: boolean;
}): Recorder {
  const startedAt = clock.now();
  const start = clock.monotonic();
  const elapsed = (): number => clock.monotonic() - start;
  const requestBody = createPayload(elapsed, keepBodies);
  const responseBody = createPayload(elapsed, keepBodies);
  let head: { readonly status: number; readonly headers: HeaderPairs; readonly headMs: number } | undefined;
  return {
    requestPiece: (bytes) => requestBody.add(bytes),
    responseHead(status, headers) {
      head = { status, headers, headMs: elapsed() };
    },
    responsePiece: (bytes) => responseBody.add(bytes),
    finish: (ending, answer) => ({
      id,
      side: 'upstream',
      observer: provider,
      connection: `${provider}-${arrival.connection}`,
      http: arrival.wire.http,
      startedAt,
      request: {
        method: arrival.method,
        target: arrival.target,
        headers: arrival.headers,
        body: requestBody.payload(),
      },
      ...(head !== undefined && { response: { ...head, body: responseBody.payload() } }),
      ending,
      endedMs: elapsed(),
      ...answer,
    }),
  };
}

function createPayload(
  elapsed: () => number,
  keep: boolean,
): { add(bytes: Buffer): void; payload(): Payload } {
  const hash = createHash('sha256');
  const pieces: [number, number][] = [];
  const kept: Buffer[] = [];
  let total = 0;
  return {
    add(bytes) {
      hash.update(bytes);
      pieces.push([elapsed(), bytes.length]);
      total += bytes.length;
      if (keep) kept.push(bytes);
    },
    payload: () => ({
      bytes: total,
      sha256: hash.digest('hex'),
      ...(keep && { base64: Buffer.concat(kept).toString('base64') }),
      pieces,
    }),
  };
}
