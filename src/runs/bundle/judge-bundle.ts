/** The self-test's own check of bundles: one can be made of the run, and who verifies it agrees. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Check, Verdict } from '../../analysis/check.ts';
import type { RunPlace } from '../stored/stored-runs.ts';
import { buildBundle } from './build.ts';
import { verifyBundle } from './verify.ts';

const WHOLE_BUNDLE = {
  id: 'BUNDLE-01',
  title: 'The run can be packed for a reviewer, without a secret in it',
} as const;

export async function judgeBundle(run: RunPlace, checks: readonly Check[]): Promise<Verdict> {
  const outDir = await mkdtemp(path.join(tmpdir(), 'ccp-uat-bundle-'));
  try {
    const built = await buildBundle({
      runs: [run],
      outDir,
      checks,
      suites: [],
      bundler: { version: '0', node: process.versions.node, commit: null, dirty: null },
      repository: { v: 1, commit: null, dirty: null, files: [], languages: [] },
      secrets: [],
    });
    if (!built.ok) {
      const violations = built.finds.map(({ rule, file, line, hidden }) => ({
        what: `${rule} in ${file}${hidden === null ? '' : ` (${hidden})`}`,
        pointers: [`${file}:${line}`],
      }));
      return { ...WHOLE_BUNDLE, outcome: 'fail', observed: 1, violations };
    }
    const verified = await verifyBundle(built.file, { checks, suites: [] });
    const violations = verified.ok ? [] : [{ what: verified.sentence, pointers: [] }];
    return { ...WHOLE_BUNDLE, outcome: verified.ok ? 'pass' : 'fail', observed: 1, violations };
  } finally {
    await rm(outDir, { recursive: true, force: true });
  }
}
