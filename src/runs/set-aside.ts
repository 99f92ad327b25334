/**
 * When a run dies, exchanges are under way of which one witness has spoken and the other could not any more.
 * That is no contradiction between them, so what was seen of such exchanges is set aside before the judging.
 */
import type { Evidence } from '../analysis/evidence.ts';
import { bears } from '../analysis/wire.ts';
import { createCanaries } from '../harness/canaries.ts';

/** `lost`: ids of the probes under way. Their phrases follow from the seed. */
export function setAsideUnfinished<E extends Pick<Evidence, 'client' | 'upstream' | 'usage'>>(
  evidence: E,
  { lost, seed }: { readonly lost: readonly string[]; readonly seed: string },
): E {
  const canaries = createCanaries(seed);
  const phrases = lost.map((id) => canaries.prompt(id, []));
  const finished = (transcript: Evidence['client'][number]): boolean =>
    !phrases.some((phrase) => bears(transcript, phrase));
  const upstream = evidence.upstream.filter(finished);
  const known = new Set(upstream.map(({ requestId }) => requestId));
  // An exchange is on record once it is complete, and its upstream's answer is among those kept.
  const settled = new Set(
    evidence.usage.events.flatMap((event) =>
      event.event === 'completion' && known.has(event.upstream_request_id) ? [event.rid] : [],
    ),
  );
  return {
    ...evidence,
    client: evidence.client.filter(finished),
    upstream,
    usage: { ...evidence.usage, events: evidence.usage.events.filter(({ rid }) => settled.has(rid)) },
  };
}
