/** The green run of the analysis' tests as if a run had stored it. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CHECKS } from '../../analysis/checks/index.ts';
import type { Evidence } from '../../analysis/evidence.ts';
import { greenRun, type Mutable } from '../../analysis/testing/green-run.ts';
import { createRedactor } from '../redact.ts';
import { ONLY_STAGE, type Plan, type Provenance } from '../run-record.ts';
import { createRunFolder, type RunFolder } from '../stored/run-folder.ts';

export const BEGIN = Date.UTC(2026, 0, 2, 3, 4, 5);

export const PROVENANCE: Provenance = { version: '0.0.0', node: '24', platform: 'test', claude: 'not found' };

/** A folder that is gone when it is disposed of. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ccp-uat-test-'));
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/** Plans exactly the probes that the evidence holds. */
export function planFor(evidence: Evidence, changes: Partial<Plan> = {}): Plan {
  return {
    run: 'test-run',
    suite: 'test',
    title: 'A test',
    proves: ['It works.'],
    upstream: 'mock',
    target: { kind: 'builtin' },
    settings: {},
    stages: [{ name: ONLY_STAGE, license: 'trial', by: 'environment' }],
    seed: '5eed',
    timeoutMs: 1000,
    waves: [
      evidence.probes.map(({ id, client, model, expectedLane }) => ({
        id,
        client,
        model,
        lane: expectedLane === 'zai' ? 'zai' : 'anthropic',
        op: 'stream',
      })),
    ],
    skippedProbes: [],
    checks: CHECKS.map(({ id, title }) => ({ id, title })),
    showsAnswers: false,
    failFast: false,
    allowInconclusive: false,
    ...changes,
  };
}

/** Stores the green run, broken by `alter`, the way a run does; `plan` changes its plan. */
export async function storeGreenRun(
  parent: string,
  alter?: (evidence: Mutable<Evidence>) => unknown,
  plan: Partial<Plan> = {},
): Promise<{ readonly folder: RunFolder; readonly evidence: Evidence; readonly plan: Plan }> {
  const evidence = greenRun(alter);
  const folder = await createRunFolder(path.join(parent, randomUUID()));
  const planned = planFor(evidence, plan);
  folder.append({ type: 'run_started', at: BEGIN, plan: planned, provenance: PROVENANCE });
  for (const probe of evidence.probes) {
    folder.append({ type: 'probe_started', at: BEGIN, id: probe.id });
    folder.append({ type: 'probe_ended', at: BEGIN + 1, result: probe });
  }
  await folder.keep(evidence, createRedactor(evidence.canaries));
  folder.append({ type: 'run_ended', at: BEGIN + 1000 });
  return { folder, evidence, plan: planned };
}
