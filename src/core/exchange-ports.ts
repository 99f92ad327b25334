/** What an exchange is given: the world that all of them share, and its own visit. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../platform/clock.ts';
import type { Ids } from '../platform/ids.ts';
import type { Deadlines } from './deadlines.ts';
import type { ExchangeLimits } from './limits.ts';
import type { Retention } from './retention.ts';
import type { StepPolicy } from './steps.ts';
import type { ExchangeObserver, Gate, PartialSink, Router } from './types.ts';
import type { Upstreams } from './upstream/upstreams.ts';

/** What every exchange of a proxy shares. */
export interface ExchangePorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly router: Router;
  /** Asked before another lane takes over; without one every lane may. */
  readonly gate?: Gate;
  readonly upstreams: Upstreams;
  readonly deadlines: Deadlines;
  readonly retention: Retention;
  readonly partials: PartialSink;
  readonly observers: readonly ExchangeObserver[];
  readonly policy: StepPolicy;
  readonly limits: ExchangeLimits;
  readonly profile: string | null;
}

/** A request at the door. */
export interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Why the guard turns it away; null lets it in. */
  readonly refusal: string | null;
  /** Asks a client that waits for it (`expect: 100-continue`) to send its body. */
  readonly invite: () => void;
}
