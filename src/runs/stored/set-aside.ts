/**
 * When a run dies, exchanges are under way of which one witness has spoken and the other could not any more.
 * That is no contradiction between them, so what was seen of such exchanges is set aside before the judging.
 */
import type { Evidence } from '../../analysis/evidence.ts';
import { accountOf } from '../../analysis/exchanges.ts';
import { bears } from '../../analysis/wire.ts';
import { createCanaries } from '../../harness/canaries.ts';

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

/** What an interruption took is cut for the client, and on record: only the probes, by their ids, are not to be judged. */
export function setAsideProbes<E extends Pick<Evidence, 'probes'>>(evidence: E, ids: readonly string[]): E {
  return { ...evidence, probes: evidence.probes.filter(({ id }) => !ids.includes(id)) };
}

export interface SetAside<E> {
  readonly evidence: E;
  /** Ids of the probes that are not judged: of those under way, all that had not come to a whole end after all. */
  readonly ids: readonly string[];
  /** Whether the proxy had put one of them on record, so that what it says of the whole does not fit what is left. */
  readonly recorded: boolean;
}

/**
 * What was under way when the proxy was killed: its client saw it break, its upstream saw it cut, and the one who was to
 * put it on record is gone. `underWay`: ids of probes; `diedAt`: epoch milliseconds. A begun exchange whose record is
 * missing though no probe was lost for it stays, for the reconciliation to find.
 */
export function setAsideKilled<E extends Evidence>(
  evidence: E,
  {
    underWay,
    diedAt,
    seed,
  }: { readonly underWay: readonly string[]; readonly diedAt: number; readonly seed: string },
): SetAside<E> {
  const canaries = createCanaries(seed);
  const { events } = evidence.usage;
  const completions = events.filter((event) => event.event === 'completion');
  const onRecord = new Map(completions.map((one) => [one.upstream_request_id, one.rid]));
  const { exchanges } = accountOf(evidence);
  const lost = underWay
    .map((id) => {
      const phrase = canaries.prompt(id, []);
      const upstream = evidence.upstream.filter((one) => bears(one, phrase));
      const rids = upstream.flatMap(({ requestId }) =>
        requestId === undefined ? [] : (onRecord.get(requestId) ?? []),
      );
      // By the account, too: of an answer that broke off before its head no id is on record.
      const ended = exchanges.some(
        (one) =>
          bears(one.client, phrase) &&
          one.client.ending === 'complete' &&
          rids.length + one.completions.length > 0,
      );
      return { id, phrase, rids, ended };
    })
    .filter(({ ended }) => !ended);
  const isLost = (transcript: Evidence['client'][number]): boolean =>
    lost.some(({ phrase }) => bears(transcript, phrase));
  const told = new Set(completions.map(({ rid }) => rid));
  const begun = new Set(
    events.flatMap(({ rid, ts }) => (!told.has(rid) && Date.parse(ts) <= diedAt ? [rid] : [])),
  );
  const recorded = lost.flatMap(({ rids }) => rids);
  const gone = new Set([...recorded, ...(begun.size <= lost.length ? begun : [])]);
  const { store } = evidence;
  return {
    ids: lost.map(({ id }) => id),
    recorded: recorded.length > 0,
    evidence: {
      ...evidence,
      probes: evidence.probes.filter(({ id }) => !lost.some((one) => one.id === id)),
      client: evidence.client.filter((one) => !isLost(one)),
      upstream: evidence.upstream.filter((one) => !isLost(one)),
      usage: { ...evidence.usage, events: events.filter(({ rid }) => !gone.has(rid)) },
      store:
        store.kind === 'read' ? { ...store, rows: store.rows.filter(({ rid }) => !gone.has(rid)) } : store,
    },
  };
}
