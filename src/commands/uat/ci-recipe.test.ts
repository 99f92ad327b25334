import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { createTestHost } from '../shared/testing/test-host.ts';
import { main } from './main.ts';

const PAGE = readFileSync(new URL('../../../docs/ci.md', import.meta.url), 'utf8');

const blockOf = (language: string): string =>
  new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm').exec(PAGE)?.[1] ?? '';

const stepSchema = z.object({
  run: z.string().optional(),
  uses: z.string().optional(),
  if: z.string().optional(),
  with: z.looseObject({ key: z.string(), path: z.string() }).partial().optional(),
});
const workflowSchema = z.object({
  jobs: z.record(z.string(), z.object({ steps: z.array(stepSchema) })),
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
