import { expect, it } from 'vitest';
import { CHECKS } from '../../analysis/checks/index.ts';
import type { Evidence } from '../../analysis/evidence.ts';
import { judgeAll } from '../../analysis/judge.ts';
import { greenRun } from '../../analysis/testing/green-run.ts';
import { createCanaries } from '../../harness/canaries.ts';
import { setAsideKilled, setAsideUnfinished } from './set-aside.ts';

const SEED = '5eed';
const phrase = createCanaries(SEED).prompt('lost', []);

/** One exchange whose client could not put its side on record any more. */
const halfSeen = (): Evidence =>
  greenRun((evidence) => {
    const at = evidence.client.findIndex(({ requestId }) => requestId !== undefined);
    const [client] = evidence.client.splice(at, 1);
    const upstream = evidence.upstream.find(({ requestId }) => requestId === client?.requestId);
    if (upstream === undefined) throw new Error('the client had no upstream');
    upstream.request.headers.push(['x-claude-code-session-id', phrase]);
  });

const accused = (evidence: Evidence): string[] =>
  judgeAll(CHECKS, evidence)
    .filter(({ id, outcome }) => outcome === 'fail' && /^(HEADER-02|RECONCILE)/.test(id))
    .map(({ id }) => id);

it('accuses nobody of what a run could not see because it died', () => {
  const evidence = halfSeen();
  expect(accused(evidence)).toEqual(expect.arrayContaining(['HEADER-02', 'RECONCILE-01', 'RECONCILE-02']));
  const rest = setAsideUnfinished(evidence, { lost: ['lost'], seed: SEED });
  expect(accused(rest)).toEqual([]);
  expect(rest.upstream).toHaveLength(evidence.upstream.length - 1);
});

it('keeps everything of probes that had ended', () => {
  const evidence = halfSeen();
  const rest = setAsideUnfinished(evidence, { lost: ['another'], seed: SEED });
  expect(rest.upstream).toEqual(evidence.upstream);
  expect(accused(rest)).toContain('HEADER-02');
});

/** One exchange that was under way as the proxy was killed: its client has half of it, and nobody put it on record. */
function killed({ recorded }: { readonly recorded: boolean }) {
  let rid = '';
  const evidence = greenRun((run) => {
    const client = run.client.find(
      ({ requestId, response }) => requestId !== undefined && response?.status === 200,
    );
    const upstream = run.upstream.find(({ requestId }) => requestId === client?.requestId);
    const completion = run.usage.events.find(
      (event) => event.event === 'completion' && event.upstream_request_id === client?.requestId,
    );
    if (client === undefined || upstream === undefined || completion === undefined)
      throw new Error('there is a whole exchange');
    rid = completion.rid;
    for (const { request } of [client, upstream]) request.headers.push(['x-claude-code-session-id', phrase]);
    client.ending = 'cut_by_peer';
    if (!recorded) run.usage.events.splice(run.usage.events.indexOf(completion), 1);
  });
  return { evidence, rid };
}

const AFTERWARDS = Date.UTC(2100, 0, 1);

it('sets aside what was under way when the proxy was killed, with whatever was begun of its record', () => {
  const { evidence, rid } = killed({ recorded: false });
  expect(accused(evidence)).toContain('RECONCILE-02');
  const rest = setAsideKilled(evidence, { underWay: ['lost'], diedAt: AFTERWARDS, seed: SEED });
  expect(rest).toMatchObject({ ids: ['lost'], recorded: false });
  expect(rest.evidence.client).toHaveLength(evidence.client.length - 1);
  expect(rest.evidence.usage.events.filter((event) => event.rid === rid)).toEqual([]);
  expect(accused(rest.evidence)).toEqual([]);
});

it('says so where the proxy had put it on record, and its client has it not', () => {
  const { evidence, rid } = killed({ recorded: true });
  const rest = setAsideKilled(evidence, { underWay: ['lost'], diedAt: AFTERWARDS, seed: SEED });
  expect(rest).toMatchObject({ ids: ['lost'], recorded: true });
  expect(rest.evidence.usage.events.filter((event) => event.rid === rid)).toEqual([]);
});

it('judges what was under way and came to a whole end after all', () => {
  const { evidence } = killed({ recorded: true });
  const client = evidence.client.map((one) => ({ ...one, ending: 'complete' as const }));
  const rest = setAsideKilled(
    { ...evidence, client },
    { underWay: ['lost'], diedAt: AFTERWARDS, seed: SEED },
  );
  expect(rest.ids).toEqual([]);
  expect(rest.evidence.client).toEqual(client);
});

it('judges what came to a whole end of which no id is on record, as its upstream broke off before its head', () => {
  const { evidence, rid } = killed({ recorded: true });
  const client = evidence.client.map((one) => ({ ...one, ending: 'complete' as const }));
  const events = evidence.usage.events.map((event) => {
    if (event.event !== 'completion' || event.rid !== rid) return event;
    const { upstream_request_id: _, ...rest } = event;
    return rest;
  });
  const told = { ...evidence, client, usage: { ...evidence.usage, events } };
  const rest = setAsideKilled(told, { underWay: ['lost'], diedAt: AFTERWARDS, seed: SEED });
  expect(rest.ids).toEqual([]);
  expect(rest.evidence.client).toEqual(client);
});

it('leaves a record that is lost without a probe to the reconciliation', () => {
  const { evidence } = killed({ recorded: false });
  const rest = setAsideKilled(evidence, { underWay: [], diedAt: AFTERWARDS, seed: SEED });
  expect(accused(rest.evidence)).toContain('RECONCILE-02');
});
