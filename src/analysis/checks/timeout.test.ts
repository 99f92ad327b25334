import { describe, expect, it } from 'vitest';
import type { Evidence } from '../evidence.ts';
import { type Mutable, pick, replaceBody, responseOf, verdictOf } from '../testing/green-run.ts';
import { SHORT_LIMIT } from './timeout.ts';

type Run = Mutable<Evidence>;

const TOLD = '{"type":"error","error":{"type":"timeout_error","message":"ccp: anth gave no answer in time"}}';

/** An answer that never came: whoever waited for it left. */
function silence(run: Run, id: string): void {
  const upstream = pick(run.upstream, id);
  delete upstream.response;
  delete upstream.requestId;
  upstream.ending = 'cut_by_peer';
  upstream.endedMs = SHORT_LIMIT.ms + 30;
}

/** A client that is told so after a while; `ms` from the request at the upstream. */
function tell(run: Run, ms: number, status = 504, body = TOLD): void {
  const client = pick(run.client, 'c-sonnet-json');
  delete client.requestId;
  Object.assign(responseOf(client), { status, headMs: ms + 3 });
  replaceBody(responseOf(client).body, body);
  client.endedMs = ms + 4;
}

const judged = (alter: (run: Run) => unknown) =>
  verdictOf('TIMEOUT-01', (run) => {
    run.suite = SHORT_LIMIT.suite;
    alter(run);
  });

/** One whose client was told something after a while, as if its upstream had answered nothing. */
const toldAfter = (ms: number, status?: number, body?: string) =>
  judged((run) => {
    silence(run, 'u-sonnet-json');
    tell(run, ms, status, body);
  });

/** A stream whose upstream falls silent; it ends for the client so long after the last byte. */
const brokenAfter = (ms: number, ending: 'cut_by_peer' | 'timeout' = 'cut_by_peer') =>
  judged((run) => fallSilent(run, ms, ending));

function fallSilent(run: Run, ms: number, ending: 'cut_by_peer' | 'timeout' = 'cut_by_peer'): void {
  const client = pick(run.client, 'c-haiku-stream');
  const upstream = pick(run.upstream, 'u-haiku-stream');
  upstream.ending = 'cut_by_peer';
  Object.assign(client, { ending, endedMs: lastByteAt(run) + ms - client.startedAt });
}

function lastByteAt(run: Run): number {
  const upstream = pick(run.upstream, 'u-haiku-stream');
  return upstream.startedAt + (responseOf(upstream).body.pieces.at(-1)?.[0] ?? Number.NaN);
}

describe('TIMEOUT-01', () => {
  it('passes where the client was told in time', () => {
    expect(toldAfter(1_020)).toMatchObject({ outcome: 'pass', observed: 1 });
  });

  it('passes where the next lane was asked in time, and fails where it was asked late', () => {
    const next = (afterMs: number) =>
      judged((run) => {
        silence(run, 'u-haiku-fallback-1');
        pick(run.upstream, 'u-haiku-fallback-2').startedAt =
          pick(run.upstream, 'u-haiku-fallback-1').startedAt + afterMs;
        pick(run.client, 'c-haiku-fallback').endedMs = 3_000;
      });
    expect(next(1_050)).toMatchObject({ outcome: 'pass', observed: 1 });
    expect(next(1_700).violations).toMatchObject([
      {
        what: expect.stringContaining('zai answered nothing, and was given up late'),
        saw: { zai: expect.stringContaining('1700 ms') },
      },
    ]);
  });

  it('fails where it was given up late, or before its time', () => {
    expect(toldAfter(1_600).violations).toMatchObject([{ what: expect.stringContaining('given up late') }]);
    expect(toldAfter(400).violations).toMatchObject([{ what: expect.stringContaining('given up early') }]);
  });

  it('passes where the upstream was late to see the request', () => {
    const seenLate = judged((run) => {
      silence(run, 'u-sonnet-json');
      tell(run, 1_020);
      pick(run.upstream, 'u-sonnet-json').startedAt += 400;
    });
    expect(seenLate).toMatchObject({ outcome: 'pass', observed: 1 });
  });

  it('fails where it was never given up', () => {
    const { outcome, violations } = judged((run) => {
      silence(run, 'u-sonnet-json');
      const client = pick(run.client, 'c-sonnet-json');
      delete client.response;
      delete client.requestId;
      Object.assign(client, { ending: 'timeout', endedMs: 5_000 });
    });
    expect(outcome).toBe('fail');
    expect(violations).toMatchObject([
      {
        what: 'POST /v1/messages?beta=true of probe sonnet-json: anth answered nothing, and was never given up',
        saw: { client: 'nothing, timeout after 5000 ms' },
      },
    ]);
  });

  it.each([
    ['another status', 502, TOLD],
    ['another type', 504, TOLD.replace('timeout_error', 'api_error')],
    ['no reason', 504, TOLD.replace(/"ccp.*?"/, '""')],
    ['no error in the shape of Anthropic', 504, 'Gateway Timeout'],
  ])('fails where the client is told %s', (_what, status, body) => {
    expect(toldAfter(1_020, status, body).violations).toMatchObject([
      { what: expect.stringContaining('is told otherwise'), expected: '504 timeout_error, and why' },
    ]);
  });

  it('is unsure where the machine was as late as what came late, and where nobody was silent', () => {
    const excused = judged((run) => {
      silence(run, 'u-sonnet-json');
      tell(run, 1_900);
      run.stalls = [{ at: pick(run.upstream, 'u-sonnet-json').startedAt + 1_800, ms: 600 }];
    });
    expect(excused).toMatchObject({ outcome: 'inconclusive', observed: 0 });
    expect(excused.note).toContain('1 exchange was late');
    expect(judged(() => undefined)).toMatchObject({ outcome: 'inconclusive', observed: 0 });
  });

  it('passes where a stream was broken off in time after its last byte', () => {
    expect(brokenAfter(1_020)).toMatchObject({ outcome: 'pass', observed: 1 });
    expect(brokenAfter(1_480)).toMatchObject({ outcome: 'pass', observed: 1 });
  });

  it('fails where a stream was broken off late, before its time, or never', () => {
    const fellSilent = 'POST /v1/messages?beta=true of probe haiku-stream: zai fell silent, and was';
    expect(brokenAfter(1_600).violations).toMatchObject([
      {
        what: `${fellSilent} given up late`,
        expected: 'given up after 1000 ms, or up to 500 later',
        saw: { client: 'cut_by_peer 1600 ms after the last byte of zai' },
      },
    ]);
    expect(brokenAfter(400).violations).toMatchObject([{ what: `${fellSilent} given up early` }]);
    expect(brokenAfter(4_900, 'timeout').violations).toMatchObject([
      { what: `${fellSilent} never given up`, saw: { client: expect.stringContaining('timeout 4900 ms') } },
    ]);
  });

  it('says nothing of a stream whose client left, or had no patience for the limit', () => {
    const left = judged((run) => {
      fallSilent(run, 4_900);
      pick(run.client, 'c-haiku-stream').ending = 'ended_by_self';
    });
    expect(left).toMatchObject({ outcome: 'inconclusive', observed: 0 });
    expect(brokenAfter(300, 'timeout')).toMatchObject({ outcome: 'inconclusive', observed: 0 });
  });

  it('is unsure where the machine was as late as every silent stream, whatever else came in time', () => {
    const stalled = (isAlone: boolean) =>
      judged((run) => {
        fallSilent(run, 1_900);
        run.stalls = [{ at: lastByteAt(run) + 1_800, ms: 600 }];
        if (isAlone) return;
        silence(run, 'u-sonnet-json');
        tell(run, 1_020);
      });
    expect(stalled(true)).toMatchObject({ outcome: 'inconclusive', observed: 0 });
    const { outcome, note } = stalled(false);
    expect(outcome).toBe('inconclusive');
    expect(note).toContain('1 exchange was late');
  });

  it('is skipped in every other run', () => {
    expect(verdictOf('TIMEOUT-01', (run) => silence(run, 'u-sonnet-json')).outcome).toBe('skipped');
  });
});
