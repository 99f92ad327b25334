/**
 * Opens connections to upstreams for undici, with a limit of its own for each phase, so that a record can
 * tell a name that does not resolve from a host that does not answer and from a certificate that is wrong.
 */
import { connect as dial, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, type SecureContext, connect as secure } from 'node:tls';
import type { buildConnector } from 'undici';
import type { Clock } from '../../platform/clock.ts';
import { isOwnListener } from './own-listener.ts';

export interface ConnectorOptions {
  readonly clock: Clock;
  /** Milliseconds until the TCP connection must stand, name resolution included. */
  readonly dialTimeoutMs: number;
  /** Milliseconds from then until the TLS handshake must be done. */
  readonly tlsTimeoutMs: number;
  /** Idle milliseconds before TCP keep-alive probes start. */
  readonly keepAliveDelayMs: number;
  readonly secureContext: SecureContext;
  /** Whether HTTP/2 is offered in the handshake. */
  readonly h2: boolean;
  /** Milliseconds without a byte after which an HTTP/2 connection is ended; its peer must have been asked meanwhile. */
  readonly h2SilenceMs: number;
  /** Told of each connection that stands whether it speaks HTTP/2. */
  readonly onConnected: (h2: boolean) => void;
  /** The port we listen on ourselves. */
  readonly ownPort: () => number;
}

/** The phase that failed, as the `err_type` of a record. */
export type ConnectPhase = 'dns' | 'net' | 'tls';

/** A connection that never came to stand: nothing of the request was sent. */
export class ConnectError extends Error {
  readonly phase: ConnectPhase;

  constructor(phase: ConnectPhase, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ConnectError';
    this.phase = phase;
  }
}

type Settle = buildConnector.Callback;

/** A `connect` function for undici's dispatchers. TLS sessions are resumed per connector, so per upstream. */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  let session: Buffer | undefined;
  return function connect(target, callback): void {
    const https = target.protocol === 'https:';
    // undici hands an IPv6 literal over with its brackets.
    const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
    const tcp = dial({
      host,
      port: Number(target.port || (https ? 443 : 80)),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: options.keepAliveDelayMs,
      // Happy eyeballs: a dead IPv6 route must not cost the whole dial time.
      autoSelectFamily: true,
    });
    const settle = once(callback);
    const stopDial = options.clock.after(options.dialTimeoutMs, () =>
      give(
        tcp,
        new ConnectError('net', `no connection to ${host} within ${options.dialTimeoutMs} ms`),
        settle,
      ),
    );
    tcp.once('error', (error: NodeJS.ErrnoException) => {
      stopDial();
      settle(new ConnectError(error.syscall === 'getaddrinfo' ? 'dns' : 'net', error.message, error), null);
    });
    tcp.once('connect', () => {
      stopDial();
      if (isOwnListener(tcp, options.ownPort())) {
        give(tcp, new ConnectError('net', `${host} is our own listener`), settle);
        return;
      }
      if (!https) {
        options.onConnected(false);
        settle(null, tcp);
        return;
      }
      handshake(tcp, host);
    });

    function handshake(socket: Socket, hostname: string): void {
      const settings: ConnectionOptions = {
        socket,
        host: hostname,
        secureContext: options.secureContext,
        // Said aloud, because NODE_TLS_REJECT_UNAUTHORIZED=0 would change the default.
        rejectUnauthorized: true,
        ALPNProtocols: options.h2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      };
      if (isIP(hostname) === 0) settings.servername = hostname;
      if (session !== undefined) settings.session = session;
      const tls = secure(settings);
      const stop = options.clock.after(options.tlsTimeoutMs, () =>
        give(
          tls,
          new ConnectError('tls', `no TLS with ${hostname} within ${options.tlsTimeoutMs} ms`),
          settle,
        ),
      );
      tls.on('session', (fresh) => {
        session = fresh;
      });
      tls.once('error', (error) => {
        stop();
        settle(new ConnectError('tls', error.message, error), null);
      });
      tls.once('secureConnect', () => {
        stop();
        const h2 = tls.alpnProtocol === 'h2';
        options.onConnected(h2);
        if (h2) endWhenSilent(tls, options);
        settle(null, tls);
      });
      tls.once('close', () => {
        stop();
        settle(new ConnectError('tls', `${hostname} closed the connection during the TLS handshake`), null);
      });
    }
  };
}

/**
 * A peer that went without a word (a laptop that slept, another network) leaves a connection that takes every
 * request and answers none, until TCP gives up after a quarter of an hour.
 */
function endWhenSilent(socket: Socket, { clock, h2SilenceMs }: ConnectorOptions): void {
  let seen = socket.bytesRead;
  const look = (): void => {
    if (socket.destroyed) return;
    if (socket.bytesRead === seen) {
      socket.destroy(new Error(`nothing came for ${h2SilenceMs} ms, not even the answer to a PING`));
      return;
    }
    seen = socket.bytesRead;
    clock.after(h2SilenceMs, look);
  };
  clock.after(h2SilenceMs, look);
}

function give(socket: Socket, error: ConnectError, settle: Settle): void {
  settle(error, null);
  socket.destroy();
}

function once(callback: Settle): Settle {
  let called = false;
  return (...outcome) => {
    if (called) return;
    called = true;
    callback(...outcome);
  };
}
