/** A client that sends the bytes it is told to send, and keeps what comes back as it came. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createMessageReader, type Message } from './http1-message.ts';
import { until } from './wait.ts';

export interface RawClient extends AsyncDisposable {
  readonly socket: Socket;
  send(bytes: string | Buffer): void;
  /** Waits for the head of the n-th answer, counted from 1; `100 Continue` is an answer too. */
  head(n?: number): Promise<Message>;
  /** Waits until the n-th answer is whole. */
  answer(n?: number): Promise<Message>;
  /** Waits for the end of the connection: ended in order, or reset. */
  closed(): Promise<'ended' | 'reset'>;
}

export interface RawClientOptions {
  /** For HEAD: answers have no body, whatever they promise. */
  readonly bodiless?: boolean;
}

/** Connects to a port of 127.0.0.1. */
export async function connectClient(
  port: number,
  { bodiless = false }: RawClientOptions = {},
): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  await once(socket, 'connect');
  const answers: Message[] = [];
  let end: 'ended' | 'reset' | null = null;
  const reader = createMessageReader({ bodiless, onHead: (message) => void answers.push(message) });
  socket.on('data', (bytes) => reader.feed(bytes));
  socket.on('end', () => {
    end ??= 'ended';
  });
  socket.on('error', () => {
    end ??= 'reset';
  });

  return {
    socket,
    send: (bytes) => void socket.write(bytes),
    head: (n = 1) => until(() => answers[n - 1], `the head of answer ${n}`),
    answer: (n = 1) => until(() => (answers[n - 1]?.whole === true ? answers[n - 1] : null), `answer ${n}`),
    closed: () => until(() => end, 'the end of the connection'),
    async [Symbol.asyncDispose]() {
      if (socket.closed) return;
      socket.destroy();
      await once(socket, 'close');
    },
  };
}
