/** The usage records as they happen, as server-sent events, for whoever watches. Nobody's reading slows an exchange. */
import type { EndpointStream, ExchangeObserver, StreamClient } from '../../core/types.ts';
import type { Clock } from '../../platform/clock.ts';
import type { UsageEvent } from '../../protocol/usage-event.ts';

export interface LiveFeed extends ExchangeObserver {
  /** A stream for one more reader; null where there are too many already. */
  open(): EndpointStream | null;
}

/** Each costs a write for every record. */
export const MAX_READERS = 16;
/** Some thousand records: who is that far behind does not read. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Shorter than what sits between may close an idle connection after, and than it takes to doubt a silent one. */
export const HEARTBEAT_MS = 15_000;

export function createLiveFeed({ clock }: { readonly clock: Clock }): LiveFeed {
  const readers = new Set<StreamClient>();

  function send(client: StreamClient, text: string): void {
    if (client.write(text) > MAX_WAITING_BYTES) client.drop();
  }

  function publish(event: UsageEvent): void {
    if (readers.size === 0) return;
    const text = `event: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`;
    for (const reader of readers) send(reader, text);
  }

  function start(client: StreamClient): () => void {
    readers.add(client);
    client.write(': ccp usage records, as they happen\n\n');
    let stop = (): void => {};
    const beat = (): void => {
      stop = clock.after(HEARTBEAT_MS, () => {
        send(client, ': still here\n\n');
        beat();
      });
    };
    beat();
    return () => {
      readers.delete(client);
      stop();
    };
  }

  return {
    open: () =>
      readers.size < MAX_READERS ? { status: 200, contentType: 'text/event-stream', start } : null,
    onDecision: publish,
    onStreamStart: publish,
    onCompletion: publish,
  };
}
