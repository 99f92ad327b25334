import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { createTestHost } from '../shared/testing/test-host.ts';
import { main } from './main.ts';

const PAGE = readFileSync(new URL('../../../docs/ci.md', import.meta.url), 'utf8');

const blockOf = (language: string): string =>
  new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm').exec(PAGE)?.[1] ?? '';

const workflowSchema = z.object({
  jobs: z.record(z.string(), z.object({ steps: z.array(z.looseObject({ run: z.string().optional() })) })),
});

/** The command lines of the judge in a text, without what the shell makes of their end. */
const commandsIn = (text: string): string[] =>
  [...text.matchAll(/npx (ccp-uat(?: [\w./-]+)+)/g)].map(([, command = '']) => command);

describe('the recipes for CI', () => {
  const { jobs } = workflowSchema.parse(parse(blockOf('yaml')));
  const steps = Object.values(jobs).flatMap((job) => job.steps.flatMap(({ run }) => run ?? []));

  it('run the same three proofs, on GitHub and in a plain shell', () => {
    const proofs = ['repro-go-quick', 'smoke-license', 'soak-persist'].map(
      (name) => `ccp-uat ${name} --run-dir results/ci/${name}`,
    );
    expect(steps.flatMap(commandsIn)).toEqual(proofs);
    expect(commandsIn(blockOf('sh'))).toEqual(proofs);
    expect(steps[0]).toBe('npm ci');
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
