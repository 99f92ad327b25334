import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../analysis/evidence.ts';
import { greenRun, type Mutable } from '../../analysis/testing/green-run.ts';
import type { Transcript } from '../../protocol/transcript.ts';
import { planFor } from '../testing/stored-green-run.ts';
import { atOnceIn } from './round-verdict.ts';

type Whole = Mutable<Evidence>;

/** `startedAt` in milliseconds after the begin of the round. */
const BEGIN = 1_000_000;
const place = (one: Mutable<Transcript>, startedAt: number, endedMs: number): unknown =>
  Object.assign(one, { startedAt: BEGIN + startedAt, endedMs });

/** Three clients wait beside each other from the beginning, and the upstreams have one after the other, as long as `each`. */
function inTurns(alter: (evidence: Whole) => unknown = () => undefined, from = BEGIN) {
  const evidence = greenRun((all) => {
    all.client = all.client.slice(0, 3);
    const ids = all.client.map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
    for (const one of all.client) place(one, 0, 3000);
    const hashes = new Set(all.client.map(({ request }) => request.body.sha256));
    all.upstream = all.upstream.filter(({ request }) => hashes.has(request.body.sha256));
    for (const [turn, one] of all.upstream.entries()) place(one, turn * 1000, 900);
    alter(all);
  });
  return atOnceIn({ evidence, plan: planFor(evidence) }, from);
}

const probe = (all: Whole): Mutable<Transcript> => {
  const ready = greenRun().upstream.find(({ id }) => id.startsWith('u-ready'));
  if (ready === undefined) throw new Error('a green run has been asked whether it is ready');
  all.upstream.push(ready);
  return ready;
};

describe('what was under way at once', () => {
  it('are the clients, and at the upstreams one of them where a proxy takes turns', () => {
    expect(inTurns()).toEqual({ client: 3, upstream: 1 });
  });

  it('are two where they met there', () => {
    expect(inTurns((all) => all.upstream.forEach((one, turn) => place(one, turn * 800, 900)))).toMatchObject({
      upstream: 2,
    });
  });

  it('is nothing that the proxy asks for itself', () => {
    expect(
      inTurns((all) => {
        place(probe(all), 100, 500);
        place(probe(all), 100, 500);
      }),
    ).toEqual({ client: 3, upstream: 1 });
  });

  it('is one exchange where the proxy asks a second upstream for the same client before the first has closed', () => {
    expect(
      inTurns((all) => {
        const [first] = structuredClone(all.upstream);
        if (first === undefined) throw new Error('the upstreams have seen three');
        place(first, 100, 700);
        all.upstream.push(first);
      }),
    ).toEqual({ client: 3, upstream: 1 });
  });

  it('is nothing of a round before', () => {
    expect(inTurns(undefined, BEGIN + 1)).toEqual({ client: 0, upstream: 0 });
  });
});
