/** The budget of a run, as a target is given it and as it tells of it (contract, sections 6 and 8). */
import type { GivenQuota } from '../protocol/witness.ts';

type Budget = Omit<GivenQuota, 'mode'>;

const globOf = ({ model }: Pick<Budget, 'model'>): string => `*${model}*`;

/** The text of a quotas file that holds this one budget. */
export function quotaFile(budget: Budget): string {
  const { lane, requests } = budget;
  return `${JSON.stringify({ quotas: [{ model: globOf(budget), lane, rolling: { requests } }] }, null, 2)}\n`;
}

/** How many requests `/v1/quotas` says are in the window of this budget; null where it says nothing of it. */
export function usedRequests(answer: unknown, budget: Budget): number | null {
  const views = record(answer)['quotas'];
  if (!Array.isArray(views)) return null;
  const view = views
    .map(record)
    .find((one) => one['lane'] === budget.lane && one['model'] === globOf(budget));
  const used = record(record(record(view)['rolling'])['requests'])['used'];
  return typeof used === 'number' ? used : null;
}

/** Whether `/v1/quotas` says that its windows still lack what the store has. */
export const isRebuilding = (answer: unknown): boolean => record(answer)['rebuilding'] === true;

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
