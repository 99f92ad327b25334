/** What a killed target left behind, and what its successor makes of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sample } from '../protocol/meter.ts';
import type { Crash, GivenQuota } from '../protocol/witness.ts';
import { isRebuilding, usedRequests } from './quota-file.ts';
import { readCompletions } from './records.ts';
import { askSqliteShell } from './sqlite-shell.ts';
import { integrityOf, type KeptHour, readHours, readStore, storeFile } from './store-file.ts';
import type { Target } from './types/target.ts';
import type { Observed } from './types/world.ts';

export type Remains = Omit<Crash, 'rebuilt'> & { readonly kept: readonly Sample[] };

/** Looks at log and store of a target that was killed at `killedAt` (epoch milliseconds) and whose successor has not begun. */
export async function lookAtRemains(
  logsDir: string,
  killedAt: number,
  { acknowledged, load, slopes, hung = false }: Observed,
): Promise<Remains> {
  const file = storeFile(logsDir);
  const [completions, store, hours, integrity, shell] = await Promise.all([
    readCompletions(logsDir),
    readStore(file),
    readHours(file),
    integrityOf(file),
    askSqliteShell(file),
  ]);
  const kept = store.kind === 'read' ? store.rows : [];
  const rows = Map.groupBy(kept, ({ rid }) => rid);
  const known = new Set(completions.map(({ client_request_id: id }) => id));
  const answered = acknowledged(killedAt);
  return {
    killedAt: hung ? lastSignOf(completions, killedAt) : killedAt,
    load: load(killedAt),
    logged: completions.length,
    acknowledged: answered.length,
    unlogged: answered.filter((id) => !known.has(id)),
    rows: kept.length,
    integrity,
    shell,
    missing: completions
      .filter(({ rid }) => !rows.has(rid))
      .map(({ rid, ts }) => ({ rid, ts: Date.parse(ts) })),
    doubled: [...rows]
      .flatMap(([rid, group]) => (group.length > 1 ? [rid] : []))
      .concat(overcounted(hours, kept)),
    slopes,
    kept,
  };
}

/** When a process put its last on record, epoch milliseconds: it may have had no time for its store since. */
const lastSignOf = (completions: readonly { readonly ts: string }[], killedAt: number): number =>
  completions.length === 0 ? killedAt : Math.max(...completions.map(({ ts }) => Date.parse(ts)));

const HOUR_MS = 3_600_000;

/** Hours may lack rows that were not rolled up yet, and count none twice: no run is as long as rows are kept. */
function overcounted(hours: readonly KeptHour[], rows: readonly Sample[]): string[] {
  const nameOf = (start: number, { lane, model }: Pick<Sample, 'lane' | 'model'>): string =>
    `${new Date(start).toISOString()} ${lane} ${model ?? 'no model'}`;
  const kept = Map.groupBy(rows, (row) => nameOf(row.ts - (row.ts % HOUR_MS), row));
  return hours.flatMap((hour) => {
    const name = nameOf(hour.start, hour);
    const there = kept.get(name)?.length ?? 0;
    return hour.count > there ? [`${name}: ${hour.count} in the rollup, ${there} rows`] : [];
  });
}

/** For the successor to read what the store holds. */
const REBUILD_MS = 10_000;
const POLL_MS = 20;

/** Asks the successor, which has been sent nothing yet, what it knows of the budget once it says that it knows all. */
export async function askRebuilt(
  { kept, ...crash }: Remains,
  target: Pick<Target, 'get'>,
  quota: Omit<GivenQuota, 'mode'> | undefined,
): Promise<Crash> {
  if (quota === undefined) return { ...crash, rebuilt: null };
  const answer = await rebuiltQuotas(target);
  const own = kept.filter(({ lane, model }) => lane === quota.lane && model?.includes(quota.model));
  return { ...crash, rebuilt: { said: usedRequests(answer, quota), counted: own.length } };
}

/** `/v1/quotas` of a target whose windows are rebuilt, or that has been given time enough for that: until then more may pass than a budget holds. */
export async function rebuiltQuotas(target: Pick<Target, 'get'>): Promise<unknown> {
  const deadline = performance.now() + REBUILD_MS;
  let answer = await quotasOf(target);
  while (isRebuilding(answer) && performance.now() < deadline) {
    await sleep(POLL_MS);
    answer = await quotasOf(target);
  }
  return answer;
}

async function quotasOf(target: Pick<Target, 'get'>): Promise<unknown> {
  const answer = await target.get('/v1/quotas').catch(() => null);
  return answer?.status === 200 ? JSON.parse(answer.body) : null;
}
