import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const bench = (...args: string[]): Promise<{ stdout: string }> =>
  promisify(execFile)(process.execPath, [fileURLToPath(new URL('./main.ts', import.meta.url)), ...args]);

const BRIEF = [
  '--contestants',
  'direct,node-pipe',
  '--work',
  'json-1k',
  '--concurrency',
  '2',
  '--reps',
  '2',
  '--ms',
  '60',
];

it('measures what was asked for and prints one JSON document', async () => {
  const { stdout } = await bench(...BRIEF, '--json');
  const samples = [expect.anything(), expect.anything()];
  expect(JSON.parse(stdout)).toMatchObject({
    cells: [
      { work: 'json-1k', concurrency: 2, contestant: 'direct', samples, failures: [] },
      { work: 'json-1k', concurrency: 2, contestant: 'node-pipe', samples, failures: [] },
    ],
  });
});

it('prints a table for a person', async () => {
  const { stdout } = await bench(...BRIEF);
  expect(stdout).toMatch(/\| json-1k +\| 2 +\| node-pipe/);
});

it('tells its options, and refuses others with exit code 2', async () => {
  expect((await bench('--help')).stdout).toContain('--peers');
  await expect(bench('--peer')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^bench: .*--peer/),
  });
});
