import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { completionIn, contentOf, pick, replaceBody, responseOf, verdictOf } from '../testing/green-run.ts';

const STOP = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';
const ERROR = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n';

/** What the log must say where the upstream sent the haiku stream altered like this. */
const sent = (change: (text: string) => string, reason: 'ok' | 'truncated' | 'upstream_error') =>
  verdictOf('RECONCILE-04', (evidence) => {
    const { body } = responseOf(pick(evidence.upstream, 'u-haiku-stream'));
    replaceBody(body, change(contentOf(body).toString()));
    completionIn(evidence, 'haiku-stream').reason = reason;
  }).outcome;

describe('RECONCILE-04', () => {
  it.each([
    ['haiku-stream', 'truncated'],
    ['sonnet-json', 'upstream_error'],
    ['sonnet-limited', 'ok'],
  ] as const)('fails when the log has %s end as %s', (rid, reason) => {
    const { outcome, violations } = verdictOf('RECONCILE-04', (evidence) => {
      completionIn(evidence, rid).reason = reason;
    });
    expect(outcome).toBe('fail');
    expect(violations[0]?.saw).toMatchObject({ log: reason });
  });

  it('demands truncated where the last event was never sent', () => {
    const torso = (text: string) => text.replace(STOP, '');
    expect([sent(torso, 'ok'), sent(torso, 'truncated')]).toEqual(['fail', 'pass']);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const)(
    'demands truncated also of a stream in %s that came whole but for its last event',
    (encoding, pack) => {
      const packed = (reason: 'ok' | 'truncated', cut: (bytes: Buffer) => Buffer = (bytes) => bytes) =>
        verdictOf('RECONCILE-04', (evidence) => {
          const response = responseOf(pick(evidence.upstream, 'u-haiku-stream'));
          response.headers.push(['content-encoding', encoding]);
          replaceBody(response.body, cut(pack(contentOf(response.body).toString().replace(STOP, ''))));
          completionIn(evidence, 'haiku-stream').reason = reason;
        }).outcome;
      expect([packed('ok'), packed('truncated')]).toEqual(['fail', 'pass']);
      // What cannot be decoded to its end tells nobody whether there was one.
      expect(packed('ok', (bytes) => bytes.subarray(0, -12))).toBe('pass');
    },
  );

  it('demands upstream_error where a stream held an error', () => {
    const broken = (text: string) => text.replace(STOP, ERROR);
    expect([sent(broken, 'ok'), sent(broken, 'upstream_error')]).toEqual(['fail', 'pass']);
  });

  it('takes any word but ok for a stream that broke', () => {
    const outcomeOf = (reason: 'ok' | 'upstream_reset') =>
      verdictOf('RECONCILE-04', (evidence) => {
        pick(evidence.upstream, 'u-haiku-stream').ending = 'ended_by_self';
        completionIn(evidence, 'haiku-stream').reason = reason;
      }).outcome;
    expect([outcomeOf('ok'), outcomeOf('upstream_reset')]).toEqual(['fail', 'pass']);
  });

  it('says nothing of a client that left', () => {
    const { outcome } = verdictOf('RECONCILE-04', (evidence) => {
      completionIn(evidence, 'sonnet-aborted').reason = 'ok';
    });
    expect(outcome).toBe('pass');
  });
});
