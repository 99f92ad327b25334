import { describe, expect, it } from 'vitest';
import type { EndpointStream } from '../../core/types.ts';
import type { Clock } from '../../platform/clock.ts';
import { createLiveFeed, HEARTBEAT_MS, MAX_READERS } from './live-feed.ts';
import { completion, decision, streamStart } from './testing/events.ts';

/** A feed whose time a test moves, and readers that remember. */
function world() {
  const timers = new Map<object, { readonly at: number; readonly callback: () => void }>();
  let now = 0;
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after(ms, callback) {
      const key = {};
      timers.set(key, { at: now + ms, callback });
      return () => void timers.delete(key);
    },
  };
  return {
    feed: createLiveFeed({ clock }),
    timers,
    pass: (ms: number): void => {
      now += ms;
      for (const [key, { at, callback }] of timers) {
        if (at <= now && timers.delete(key)) callback();
      }
    },
  };
}

function read(stream: EndpointStream | null) {
  if (stream === null) throw new Error('not let in');
  const seen = { text: '', dropped: false, waiting: 0 };
  const leave = stream.start({
    write(text) {
      seen.text += text;
      return seen.waiting;
    },
    drop() {
      seen.dropped = true;
      leave();
    },
  });
  return { seen, leave };
}

describe('the live feed', () => {
  it('sends each record as an event of its type, in the order in which they are made, to every reader', () => {
    const { feed } = world();
    const readers = [read(feed.open()), read(feed.open())];
    const greeting = readers[0]?.seen.text ?? '';
    feed.onDecision?.(decision());
    feed.onStreamStart?.(streamStart());
    feed.onCompletion?.(completion());
    const expected = [decision(), streamStart(), completion()].map(
      (record) => `event: ${record.event}\ndata: ${JSON.stringify(record)}\n\n`,
    );
    for (const { seen } of readers) expect(seen.text).toBe(greeting + expected.join(''));
    expect(greeting).toMatch(/^: [^\n]+\n\n$/);
  });

  it('keeps an event on one line, whatever a client called its model', () => {
    const { feed } = world();
    const { seen } = read(feed.open());
    const before = seen.text.length;
    feed.onCompletion?.(completion({ model: 'a\n\ndata: forged\r\n' }));
    expect(seen.text.slice(before).split(/\r\n|\r|\n/)).toHaveLength(4);
  });

  it('sends a comment now and then, until the reader has left', () => {
    const { feed, pass, timers } = world();
    const { seen, leave } = read(feed.open());
    const before = seen.text.length;
    pass(HEARTBEAT_MS - 1);
    expect(seen.text.length).toBe(before);
    pass(1);
    pass(HEARTBEAT_MS);
    expect(seen.text.slice(before).match(/^: [^\n]+\n\n/gm)).toHaveLength(2);
    leave();
    expect(timers.size).toBe(0);
    feed.onCompletion?.(completion());
    expect(seen.text).not.toContain('event:');
  });

  it('cuts a reader that does not keep up, and no other', () => {
    const { feed } = world();
    const [slow, quick] = [read(feed.open()), read(feed.open())];
    slow.seen.waiting = 2 ** 20 + 1;
    feed.onCompletion?.(completion());
    feed.onCompletion?.(completion());
    expect([slow.seen.dropped, quick.seen.dropped]).toEqual([true, false]);
    expect(quick.seen.text.match(/event: /g)).toHaveLength(2);
    expect(slow.seen.text.match(/event: /g)).toHaveLength(1);
  });

  it('lets a bounded number in, and another when one has left', () => {
    const { feed } = world();
    const readers = Array.from({ length: MAX_READERS }, () => read(feed.open()));
    expect(feed.open()).toBeNull();
    readers[3]?.leave();
    expect(feed.open()).not.toBeNull();
  });
});
