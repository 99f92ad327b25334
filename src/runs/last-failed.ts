/** What is still red: each check by the newest run that judged it. */

import type { RunRecord } from './run-record.ts';
import { pastRuns } from './stored/history.ts';
import type { Suite } from './suite.ts';

export interface StillRed {
  readonly suite: string;
  /** Ids; none means all: a run that was not whole says little by its checks. */
  readonly checks: readonly string[];
}

/** The suites with something red, in the order given. */
export async function lastFailed(resultsDir: string, suites: readonly Suite[]): Promise<StillRed[]> {
  const found = await Promise.all(suites.map(async (suite) => stillRed(resultsDir, suite)));
  return found.flat();
}

async function stillRed(resultsDir: string, { name: suite, checks }: Suite): Promise<StillRed[]> {
  const newest = new Map<string, boolean>();
  for await (const { record } of pastRuns(resultsDir, suite)) {
    // One that died before it was judged leaves the account of its own wholeness, which is that it was not whole.
    for (const [id, red] of record === null ? [['RUN-01', true] as const] : judged(record))
      if (!newest.has(id)) newest.set(id, red);
    if (['RUN-01', ...checks].every((id) => newest.has(id))) break;
  }
  const red = new Set([...newest].flatMap(([id, isRed]) => (isRed ? [id] : [])));
  if (red.has('RUN-01')) return [{ suite, checks: [] }];
  const own = checks.filter((id) => red.has(id));
  return own.length === 0 ? [] : [{ suite, checks: own }];
}

function judged({ checks, flaky = [], plan }: RunRecord): (readonly [string, boolean])[] {
  return checks
    .filter(({ outcome }) => outcome !== 'skipped')
    .map(({ id, outcome }) => [
      id,
      flaky.some(({ check }) => check === id) ||
        (outcome !== 'pass' && !(plan.allowInconclusive && outcome === 'inconclusive')),
    ]);
}
