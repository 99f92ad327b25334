/** A night among the results, with a red round that was kept whole; and a self-test. */
import { appendFile, mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { CHECKS } from '../../../analysis/checks/index.ts';
import { greenNight } from '../../../analysis/testing/green-night.ts';
import { greenRun } from '../../../analysis/testing/green-run.ts';
import { recordOf } from '../../judge.ts';
import { sourceHash } from '../../provenance.ts';
import { writeMetrics } from '../../report/metrics.ts';
import { nightReport } from '../../report/night-report.ts';
import { selftestReportsOf } from '../../report/selftest-reports.ts';
import { writeReports } from '../../report/write-reports.ts';
import type { NightPlan } from '../../run-record.ts';
import type { SelftestResult } from '../../selftest/selftest-record.ts';
import { createRunFolder, openRunFolder, writeWhole } from '../../stored/run-folder.ts';
import { readStoredRun } from '../../stored/stored-run.ts';
import { BEGIN, PROVENANCE, planFor, storeGreenRun } from '../../testing/stored-green-run.ts';
import { storeWholeRun } from './bundled-run.ts';

const NIGHT: NightPlan = {
  kind: 'overnight',
  maxMs: 600_000,
  pauseMs: 0,
  roundMs: 60_000,
  perRound: 20,
  width: 4,
  until: 'time',
  chaos: true,
  clients: 'raw',
  toggles: true,
  roundChecks: ['ROUTE-01', 'LOG-01'],
};

/** By the programs that judge it again. */
export const OURS = { ...PROVENANCE, source: sourceHash() };

/** `legs`: how many rounds, from the first on, were red by LOG-01 and are kept whole. Gives its folder. */
export async function storeNight(
  resultsDir: string,
  name: string,
  { legs = 1 }: { readonly legs?: number } = {},
): Promise<string> {
  const place = path.join(resultsDir, 'runs', name);
  const folder = await createRunFolder(place);
  const checks = CHECKS.filter(({ id }) => id.startsWith('NIGHT-')).map(({ id, title }) => ({ id, title }));
  const plan = planFor(greenRun(), { suite: 'night', title: 'A night', driver: NIGHT, waves: [], checks });
  folder.append({ type: 'run_started', at: BEGIN, plan, provenance: OURS });
  const { rounds } = greenNight();
  for (const [index, account] of rounds.entries()) {
    const kept = index < legs ? `rounds/leg-${String(index + 1).padStart(4, '0')}` : null;
    const red = [{ id: 'LOG-01', outcome: 'fail', what: 'a line is torn' }];
    const verdict = kept === null ? account.verdict : { outcome: 'fail' as const, passed: [], red };
    folder.append({
      type: 'round_judged',
      at: BEGIN + 60_000 * (index + 1),
      account: { ...account, verdict, kept },
    });
    if (kept !== null) await storeLeg(path.join(place, kept));
  }
  folder.append({ type: 'run_ended', at: BEGIN + 60_000 * (rounds.length + 1) });
  await appendFile(path.join(place, 'usage.jsonl'), '{"event":"decision"}\n');
  await writeMetrics(folder);
  const stored = await readStoredRun(place);
  await writeReports(folder, { stored, record: recordOf(stored, CHECKS) });
  await folder.write('NIGHT.json', nightReport(stored) ?? '');
  return place;
}

async function storeLeg(place: string): Promise<void> {
  await mkdir(path.dirname(place), { recursive: true });
  const { folder } = await storeGreenRun(
    path.dirname(place),
    (evidence) => {
      evidence.usage.bad = [{ line: 7, problem: 'torn' }];
    },
    { run: `night-${path.basename(place)}`, suite: 'night', partOf: NIGHT },
  );
  await rename(folder.path, place);
}

/** Stores a self-test in which one saboteur was noticed and one was not, or broke the run as told; gives its folder. */
export async function storeSelftest(
  resultsDir: string,
  name: string,
  { broke }: { readonly broke?: string } = {},
): Promise<string> {
  const place = await storeWholeRun(resultsDir, name, undefined, {
    suite: 'selftest',
    asked: { selftest: { saboteurs: ['noticed', 'overlooked'], full: false } },
  });
  const tried = (saboteur: string, outcome: 'pass' | 'fail'): SelftestResult['saboteurs'][number] => ({
    name: saboteur,
    breaks: 'something',
    suite: 'test',
    expected: { 'LOG-01': 'fail' },
    killed: outcome === 'fail',
    killedBy: outcome === 'fail' ? ['LOG-01'] : [],
    outcomes: { 'LOG-01': outcome },
  });
  const result: SelftestResult = {
    v: 1,
    seed: '5eed',
    full: false,
    ok: false,
    startedAt: '2026-01-02T03:04:05.000Z',
    ms: 1,
    provenance: PROVENANCE,
    known: ['noticed', 'overlooked', 'untouched'],
    controls: ['test'],
    control: [],
    saboteurs: [
      tried('noticed', 'fail'),
      { ...tried('overlooked', 'pass'), ...(broke !== undefined && { broke }) },
    ],
  };
  await writeWhole(place, 'selftest.json', `${JSON.stringify(result, null, 2)}\n`);
  const stored = await readStoredRun(place);
  const record = recordOf(stored, CHECKS);
  for (const [file, text] of selftestReportsOf({ record, stored }, result))
    await openRunFolder(place).write(file, text);
  return place;
}
