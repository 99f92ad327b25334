/**
 * The composition root of the proxy: builds every feature from the settings, in the order in which records
 * reach them, and hands them to the door.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { LoadedCcp } from './config/ccp-settings.ts';
import { openLicense } from './config/open-license.ts';
import { openPolicy } from './config/open-policy.ts';
import { openPrices } from './config/open-prices.ts';
import { openLanes, openQuota } from './config/open-quota.ts';
import { openRouting } from './config/open-routing.ts';
import { openStore } from './config/open-store.ts';
import { NOWHERE } from './core/account.ts';
import { createDeadlines } from './core/deadlines.ts';
import { createGateway } from './core/gateway.ts';
import { createRetention } from './core/retention.ts';
import type { ExchangeObserver, PartialSink } from './core/types.ts';
import { leadsToPort, refuseOwnListener } from './core/upstream/own-listener.ts';
import { createUpstreams } from './core/upstream/upstreams.ts';
import { OperatorError } from './errors.ts';
import { createAdmin } from './features/admin/admin.ts';
import { ensureControlToken } from './features/admin/control-token.ts';
import { createJournal } from './features/journal/journal.ts';
import { infoOf, reportOf } from './features/license/report.ts';
import { createMetrics } from './features/metrics/metrics.ts';
import { createUsageEndpoints } from './features/usage/endpoints.ts';
import { createLiveFeed } from './features/usage/live-feed.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import { createRandomIds, type Ids } from './platform/ids.ts';
import { createLog, type Log } from './platform/log.ts';

export { refuseOwnListener } from './core/upstream/own-listener.ts';

export interface CcpPorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly version: string;
}

/** The real world; `write` takes the program's own messages, a line each. */
export function systemPorts(version: string, write: (line: string) => void): CcpPorts {
  return { clock: systemClock, ids: createRandomIds(), log: createLog('ccp', write), version };
}

export interface Ccp {
  /** Starts to listen; gives the address that clients use. Throws `CONFIG` or `NOT_READY`. */
  readonly listen: () => Promise<string>;
  /** Exchanges under way. */
  readonly inflight: () => number;
  /** Ends in order: no new requests, those under way get `graceMs`, then everything is closed. */
  readonly close: (graceMs: number) => Promise<void>;
  /** Cuts what is under way, so that a `close` comes to its end. */
  readonly cut: () => void;
}

/** Builds the proxy; nothing listens and nothing is sent before `listen`. Throws `CONFIG`. */
export function createCcp(loaded: LoadedCcp, { clock, ids, log, version }: CcpPorts): Ccp {
  const { settings, secrets, paths } = loaded;
  const { prices, strays, toCome } = openPrices(loaded);
  const license = openLicense(loaded, { clock, log });
  const store = openStore(loaded, {
    clock,
    log,
    onOpen: (isNew) =>
      log.info(isNew ? `a new store was begun at ${paths.store}` : `the store is ${paths.store}`),
    onRollup: (seconds) => metrics.rolledUp(seconds),
    onMore: () => quota.recount(),
  });
  const quota = openQuota(loaded, {
    store,
    lanes: () => openLanes(routing),
    clock,
    log,
  });
  const routing = openRouting(loaded, log, license.licensed, quota.gate);
  const servedLanes = (): readonly string[] => routing.providers().map(({ lane }) => lane);
  let port = settings.port;
  const upstreams = createUpstreams({
    clock,
    dialTimeoutMs: settings.dialTimeout,
    tlsTimeoutMs: settings.tlsTimeout,
    keepAliveDelayMs: settings.dialKeepalive,
    extraCa: settings.upstreamCa === null ? null : readCa(settings.upstreamCa),
    ownPort: () => port,
  });
  const policy = openPolicy(loaded, {
    get: upstreams.getFile,
    leadsToUs: (origin) => leadsToPort(origin, port),
    apply: routing.applyPolicy,
    clock,
    log,
  });
  const journal = createJournal({
    logsDir: settings.logsDir,
    maxBytes: settings.maxLogBytes,
    maxAgeMs: settings.logMaxAge,
    clock,
    log,
  });
  const metrics = createMetrics({
    defaultMetrics: true,
    license: () => infoOf(license.state()),
    policy: policy.state,
    store: () => store.metrics(),
    quotas: () => quota.fills(),
    quotaFileRefused: () => quota.refused !== null,
  });
  const live = createLiveFeed({ clock });
  // The order in which each record reaches the features: what must not be lost comes first.
  const observers: readonly ExchangeObserver[] = [journal, store, quota, metrics, live];
  const partials: PartialSink = {
    write(rid, pieces) {
      const written = journal.partials.write(rid, pieces);
      if (written) metrics.partialWritten();
      return written;
    },
  };
  const gateway = createGateway({
    clock,
    ids,
    log,
    router: routing.route,
    gate: quota.gate,
    upstreams,
    deadlines: createDeadlines(clock),
    retention: createRetention(),
    partials,
    observers,
    policy: { fallback: new Set(settings.fallback), backoff: settings.enableBackoff },
    limits: {
      maxBody: settings.maxBody,
      headMs: settings.headerTimeout,
      jsonMs: settings.jsonTimeout,
      streamIdleMs: settings.sseIdleTimeout,
    },
    profile: settings.profile,
    clientToken: secrets.get('CCP_CLIENT_TOKEN'),
    controlToken: ensureControlToken(paths.stateDir),
    endpoints: [
      ...createAdmin({
        version,
        startedAt: clock.now(),
        providers: routing.providers,
        probe: upstreams.probe,
        metrics,
        journal,
        offload: routing,
        modelOverride: () => routing.override(),
        license: () => reportOf(license.state()),
        policy: policy.state,
        store: () => store.health(),
        clock,
      }),
      ...createUsageEndpoints({
        store,
        quota,
        prices,
        lanes: () => [...servedLanes(), NOWHERE.lane],
        servedLanes,
        live,
        devEnabled: settings.devEnable,
        clock,
        ids,
        route: routing.route,
        observers,
      }),
    ],
  });

  return {
    async listen() {
      await refuseOwnListener(routing.providers(), settings.port);
      await policy.load();
      await quota.load();
      for (const idle of [...strays(servedLanes()), ...toCome(clock.now())]) log.warn(idle);
      port = await gateway.listen(settings.port, settings.host).catch((error: NodeJS.ErrnoException) => {
        throw listenError(error, settings.host, settings.port);
      });
      policy.follow();
      return `http://${clientHost(settings.host)}:${port}`;
    },
    inflight: gateway.inflight,
    cut: gateway.cut,
    async close(graceMs) {
      await policy[Symbol.asyncDispose]();
      await gateway.drain(graceMs);
      await upstreams.close();
      await routing[Symbol.asyncDispose]();
      await license[Symbol.asyncDispose]();
      await quota[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      journal.close();
    },
  };
}

/** The address that a client on this machine uses; a listener on every address has no name of its own. */
function clientHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

function readCa(path: string): string {
  try {
    const pem = readFileSync(path, 'utf8');
    // Node takes a text without any certificate in silence.
    return new X509Certificate(pem).toString() && pem;
  } catch (cause) {
    throw new OperatorError('CONFIG', `CCP_UPSTREAM_CA: ${path} holds no certificate that can be read`, {
      hint: 'Name a PEM file that this user may read, or unset it.',
      cause,
    });
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new OperatorError('NOT_READY', `port ${port} on ${host} is taken`, {
      hint: 'Is ccp running already? Stop what listens there, or choose another port with --port.',
      cause: error,
    });
  }
  if (error.code === 'EACCES') {
    return new OperatorError('NOT_READY', `this user may not listen on port ${port}`, {
      hint: 'Choose a port above 1023 with --port.',
      cause: error,
    });
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new OperatorError('CONFIG', `${host} is no address of this machine (CCP_HOST)`, {
      hint: 'Use 127.0.0.1.',
      cause: error,
    });
  }
  return error;
}
