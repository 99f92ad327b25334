import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { createTestHost } from '../shared/testing/test-host.ts';
import { main } from './main.ts';

const PAGE = readFileSync(new URL('../../../docs/ci.md', import.meta.url), 'utf8');

const blocksOf = (language: string): string[] =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text);
const blockOf = (language: string): string => blocksOf(language)[0] ?? '';

const stepSchema = z.object({
  run: z.string().optional(),
  uses: z.string().optional(),
  if: z.string().optional(),
  with: z.looseObject({ key: z.string(), path: z.string() }).partial().optional(),
});
const workflowSchema = z.object({
  jobs: z.record(z.string(), z.object({ steps: z.array(stepSchema) })),
});

const gitlabSchema = z.object({
  proofs: z.object({
    script: z.array(z.string()),
    cache: z.object({ paths: z.array(z.string()) }),
    artifacts: z.object({ reports: z.object({ junit: z.string() }) }),
  }),
});

/** The command lines of the judge in a text, without what the shell makes of their end. */
const commandsIn = (text: string): string[] =>
  [...text.matchAll(/npx (ccp-uat(?: [\w./-]+)+)/g)].map(([, command = '']) => command);

describe('the recipes for CI', () => {
  const { jobs } = workflowSchema.parse(parse(blockOf('yaml')));
  const steps = Object.values(jobs).flatMap((job) => job.steps.flatMap(({ run }) => run ?? []));

  it('run the same three proofs, on GitHub and in a plain shell', () => {
    const proofs = ['repro-go-quick', 'smoke-license', 'soak-persist'].map((name) => `ccp-uat ${name}`);
    expect(steps.flatMap(commandsIn)).toEqual(proofs);
    expect(commandsIn(blockOf('sh'))).toEqual(proofs);
    expect(steps[0]).toBe('npm ci');
  });

  it('keep the runs of one attempt for the next, which would not know of a check that changed its mind', () => {
    const caches = Object.values(jobs).flatMap((job) =>
      job.steps.filter(({ uses = '' }) => /cache\//.test(uses)),
    );
    const [restore, save] = caches.map((step) => step.with);
    expect(caches.map(({ uses }) => uses)).toEqual(['actions/cache/restore@v4', 'actions/cache/save@v4']);
    expect(restore).toMatchObject({ path: 'results', key: save?.key });
    expect(save?.key).toContain(z.string().min(1).parse(restore?.['restore-keys']));
    // Above all what a red attempt saw.
    expect(caches[1]?.if).toBe('${{ always() }}');
  });

  it('report on GitLab no run of an earlier attempt, which the cache brings, and keep what it said', () => {
    const { proofs } = gitlabSchema.parse(parse(blocksOf('yaml')[1] ?? ''));
    const { cache, artifacts, script } = proofs;
    expect(cache.paths).toEqual(['results']);
    const place = mkdtempSync(join(tmpdir(), 'ccp-uat-ci-'));
    onTestFinished(() => rmSync(place, { recursive: true }));
    const run = join(place, 'results/runs/20260101T000000Z-repro-go-quick');
    mkdirSync(run, { recursive: true });
    for (const name of ['run.json', 'junit.xml']) writeFileSync(join(run, name), '');
    const judging = script.findIndex((line) => commandsIn(line).length > 0);
    expect(judging).toBeGreaterThan(0);
    // What installs is not for this test.
    const before = script.slice(0, judging).filter((line) => !line.startsWith('npm '));
    for (const line of before) execFileSync('sh', ['-euc', line], { cwd: place });
    expect(globSync(artifacts.reports.junit, { cwd: place })).toEqual([]);
    expect(readdirSync(run)).toEqual(['run.json']);
  });

  it.each([...new Set(commandsIn(PAGE))].filter((command) => !command.endsWith('selftest')))(
    'name commands that there are: %s',
    async (command) => {
      using host = createTestHost();
      const [, ...argv] = command.split(' ');
      expect(await main([...argv, '--dry-run'], host)).toBe(0);
      expect(host.said().out).toContain(`${argv[0] === 'run' ? argv[1] : argv[0]}:`);
    },
  );
});
