import { describe, expect, it } from 'vitest';
import { contentOf, pick, replaceBody, responseOf, verdictOf } from '../testing/green-run.ts';

/** Alters what the client saw of the haiku stream. */
const received = (id: string, change: (text: string) => string | Buffer) =>
  verdictOf(id, ({ client }) => {
    const { body } = responseOf(pick(client, 'c-haiku-stream'));
    replaceBody(body, change(contentOf(body).toString()));
  });

const STOP = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';
const blocks = (text: string) => text.match(/event: .*?\n\n/gs) ?? [];
const PING = 'event: ping\ndata: {"type":"ping"}\n\n';

describe('STREAM-01', () => {
  it('fails when message_stop does not arrive', () => {
    expect(received('STREAM-01', (text) => text.replace(STOP, '')).outcome).toBe('fail');
  });

  it('fails when message_stop is made up', () => {
    const { outcome } = verdictOf('STREAM-01', ({ upstream }) => {
      const { body } = responseOf(pick(upstream, 'u-haiku-stream'));
      replaceBody(body, contentOf(body).toString().replace(STOP, ''));
    });
    expect(outcome).toBe('fail');
  });

  it('fails when a truncated stream ends as if it were whole', () => {
    const { outcome } = verdictOf('STREAM-01', ({ upstream }) => {
      pick(upstream, 'u-haiku-stream').ending = 'ended_by_self';
    });
    expect(outcome).toBe('fail');
  });

  it('fails when a whole stream is broken off at its end', () => {
    const { outcome } = verdictOf('STREAM-01', ({ client }) => {
      pick(client, 'c-haiku-stream').ending = 'cut_by_peer';
    });
    expect(outcome).toBe('fail');
  });
});

describe('STREAM-02', () => {
  it('names the character that was cut, and where', () => {
    const apart = (text: string) => {
      const bytes = Buffer.from(text);
      const at = bytes.indexOf('ö') + 1;
      return Buffer.from(bytes.subarray(0, at).toString() + bytes.subarray(at).toString());
    };
    expect(received('STREAM-02', apart).violations).toMatchObject([
      {
        what: expect.stringMatching(/: a character of 2 bytes was cut$/),
        expected: expect.stringMatching(/^c3 b6 \(ö\) at byte \d+$/),
        saw: { client: 'ef bf bd ef bf bd (U+FFFD × 2)' },
      },
    ]);
  });

  it.each([
    ['lost', (text: string) => text.replace(PING, '')],
    ['invented', (text: string) => PING + text],
    [
      'doubled',
      (text: string) =>
        blocks(text)
          .flatMap((block, i) => (i === 3 ? [block, block] : [block]))
          .join(''),
    ],
    ['reordered', (text: string) => blocks(text).toSorted().join('')],
    [
      'cut inside a character',
      (text: string) => Buffer.from(text).fill(0x20, text.indexOf('ö') + 1, text.indexOf('ö') + 2),
    ],
  ])('fails when an event is %s', (_what, change) => {
    expect(received('STREAM-02', change).outcome).toBe('fail');
  });

  it('accepts other line ends only from BYTES-02, not from itself: the events are the same', () => {
    expect(received('STREAM-02', (text) => text.replaceAll('\n', '\r\n')).outcome).toBe('pass');
  });

  it('fails when a client that left had got other events', () => {
    const { outcome } = verdictOf('STREAM-02', ({ client }) => {
      const { body } = responseOf(pick(client, 'c-sonnet-aborted'));
      replaceBody(body, PING + contentOf(body).toString());
    });
    expect(outcome).toBe('fail');
  });
});

describe('STREAM-03', () => {
  it('fails when a stream was kept back to its end', () => {
    const { outcome, violations } = verdictOf('STREAM-03', ({ client }) => {
      const { pieces } = responseOf(pick(client, 'c-haiku-stream')).body;
      for (const piece of pieces) piece[0] = 500;
    });
    expect(outcome).toBe('fail');
    expect(violations[0]?.saw?.['client']).toMatch(/^\d of 8 pieces late/);
  });

  /** The one stream, or one of two. */
  const heldUpAmid = (ms: number, after = 250, alone = true) =>
    verdictOf('STREAM-03', (evidence) => {
      for (const { id, response } of evidence.upstream)
        if (alone && id !== 'u-haiku-stream-1') for (const piece of response?.body.pieces ?? []) piece[0] = 5;
      const client = pick(evidence.client, 'c-haiku-stream');
      for (const piece of responseOf(client).body.pieces) piece[0] += 300;
      evidence.stalls = [{ at: client.startedAt + after, ms }];
    });

  it('is unsure, and says why, where the machine itself was as late as that; never satisfied', () => {
    const { outcome, note } = heldUpAmid(800, 800);
    expect(outcome).toBe('inconclusive');
    expect(note).toMatch(/1 exchange was late, and by no more than the machine itself was, up to 30\d ms/);
  });

  it('is satisfied by those that were on time beside it, and tells of the one that is left out', () => {
    const { outcome, observed, note } = heldUpAmid(800, 800, false);
    expect({ outcome, observed }).toEqual({ outcome: 'pass', observed: 1 });
    expect(note).toContain('1 exchange was late');
  });

  it('fails where the machine was late by less than that, or at another time', () => {
    expect(heldUpAmid(60).outcome).toBe('fail');
    // While the first half was under way, and no longer.
    expect(heldUpAmid(5_000, 250).outcome).toBe('fail');
    expect(heldUpAmid(400, -1_000).outcome).toBe('fail');
    expect(heldUpAmid(400, 4_000).outcome).toBe('fail');
  });

  it('accepts one stall of the machine', () => {
    const { outcome } = verdictOf('STREAM-03', ({ client }) => {
      const late = responseOf(pick(client, 'c-haiku-stream')).body.pieces[3];
      if (late !== undefined) late[0] += 55;
    });
    expect(outcome).toBe('pass');
  });

  it('fails when the last half never arrived', () => {
    const { outcome } = verdictOf('STREAM-03', ({ client }) => {
      const { body } = responseOf(pick(client, 'c-haiku-stream'));
      body.pieces = body.pieces.slice(0, 4);
    });
    expect(outcome).toBe('fail');
  });

  it('is inconclusive when no stream was paced', () => {
    const { outcome } = verdictOf('STREAM-03', ({ upstream }) => {
      for (const { response } of upstream) for (const piece of response?.body.pieces ?? []) piece[0] = 5;
    });
    expect(outcome).toBe('inconclusive');
  });
});

it.each(['STREAM-01', 'STREAM-02'])('%s is inconclusive without a stream', (id) => {
  const { outcome } = verdictOf(id, ({ upstream }) => {
    for (const transcript of upstream) {
      if (transcript.response) transcript.response.headers = [['content-type', 'application/json']];
    }
  });
  expect(outcome).toBe('inconclusive');
});
