/** Puts the faults of a saboteur where they belong. A world without one asks the same questions and gets nothing. */
import type { Ca } from '../certs.ts';
import type { ExchangeRewriter, Fault, FaultContext, ProxyRecords } from '../types/saboteur.ts';
import type { ProviderId, Stage, World } from '../types/world.ts';
import { startRelay } from '../wire-relay.ts';

type FaultOf<Layer extends Fault['layer']> = Extract<Fault, { layer: Layer }>;

/** Settings that a saboteur forces on the target of a stage. */
export function faultSettings(
  faults: readonly Fault[],
  context: FaultContext,
  stage: Stage,
): Readonly<Record<string, string>> {
  return Object.assign({}, ...at(faults, 'settings').map((fault) => fault.settings(context, stage)));
}

/** What lies in the settings of Claude Code; undefined where nothing does. */
export function claudeSettings(faults: readonly Fault[]): Readonly<Record<string, unknown>> | undefined {
  return at(faults, 'claude')[0]?.settings;
}

/** Sends raw probes, but for the first where it is to be lost. */
export function losingFirst(runProbe: World['runProbe'], faults: readonly Fault[]): World['runProbe'] {
  const due = [...at(faults, 'probes')];
  return async (probe) => {
    const lost = due.shift();
    if (lost !== undefined) throw new Error(lost.problem);
    return runProbe(probe);
  };
}

/** What goes between client and target, the innermost first. */
export function clientRewriters(
  faults: readonly Fault[],
  context: FaultContext,
): readonly ExchangeRewriter[] {
  return at(faults, 'client').map((fault) => fault.rewrite(context));
}

/**
 * Puts breaking relays in front of the upstreams and gives the base URLs that lead through them. A relay ends
 * the target's TLS with a certificate of the run's own authority and speaks HTTP/1.1 both ways.
 */
export async function breakUpstreams({
  faults,
  context,
  ca,
  stack,
}: {
  readonly faults: readonly Fault[];
  readonly context: FaultContext;
  readonly ca: Ca;
  readonly stack: AsyncDisposableStack;
}): Promise<Readonly<Record<ProviderId, string>>> {
  const urls = { ...context.urls };
  for (const { provider, rewrite } of at(faults, 'upstream')) {
    const { keyPem: key, certPem: cert } = ca.issue(['localhost', '127.0.0.1']);
    const { origin, pathname } = new URL(urls[provider]);
    const relay = await startRelay({
      to: origin,
      ca: ca.certPem,
      tls: { key, cert },
      rewriter: rewrite(context),
    });
    urls[provider] = stack.use(relay).url + (pathname === '/' ? '' : pathname);
  }
  return urls;
}

/** The records as a saboteur leaves them. */
export function tamper(records: ProxyRecords, faults: readonly Fault[], context: FaultContext): ProxyRecords {
  return at(faults, 'records').reduce((altered, fault) => fault.alter(altered, context), records);
}

function at<Layer extends Fault['layer']>(faults: readonly Fault[], layer: Layer): readonly FaultOf<Layer>[] {
  return faults.filter((fault): fault is FaultOf<Layer> => fault.layer === layer);
}
