import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { commitOf, mapRepository, packageRoot, repositorySchema } from './repository.ts';
import { temporaryFolder } from './testing/stored-green-run.ts';

let place: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  place = await temporaryFolder();
  await mkdir(path.join(place.path, 'src'));
  await mkdir(path.join(place.path, 'node_modules'));
  await writeFile(path.join(place.path, 'src/a.ts'), 'abc');
  await writeFile(path.join(place.path, 'README.md'), '# x');
  await writeFile(path.join(place.path, 'node_modules/b.ts'), 'not ours');
});
afterEach(() => place[Symbol.asyncDispose]());

function git(...args: readonly string[]): void {
  const env = { PATH: process.env['PATH'], HOME: place.path, GIT_CONFIG_GLOBAL: '/dev/null' };
  execFileSync('git', ['-c', 'user.name=me', '-c', 'user.email=me@example.com', ...args], {
    cwd: place.path,
    env,
  });
}

it('knows its own commit, and what changed since', async () => {
  git('init', '-q');
  git('add', 'src', 'README.md');
  git('commit', '-qm', 'first');
  expect(await commitOf(place.path)).toEqual({
    commit: expect.stringMatching(/^[0-9a-f]{40}$/),
    dirty: true,
  });
  await writeFile(path.join(place.path, '.gitignore'), 'node_modules\n');
  git('add', '.');
  git('commit', '-qm', 'second');
  expect(await commitOf(place.path)).toMatchObject({ dirty: false });
});

it('takes the commit of no repository that it only lies in', async () => {
  git('init', '-q');
  expect(await commitOf(path.join(place.path, 'src'))).toEqual({ commit: null, dirty: null });
});

it('says that git would not tell where there is a checkout that it does not know', async () => {
  await mkdir(path.join(place.path, '.git'));
  expect(await commitOf(place.path)).toEqual({ commit: null, dirty: null, unsaid: true });
});

it.skipIf(process.getuid?.() !== 0)('says the same of a checkout that is somebody else’s', async () => {
  git('init', '-q');
  git('add', 'src');
  git('commit', '-qm', 'first');
  const own = await mapRepository(place.path);
  execFileSync('chown', ['-R', '65534', place.path]);
  expect(() => git('status')).toThrow(/dubious ownership/);
  expect(await mapRepository(place.path)).toEqual(own);
  expect(own.commit).not.toBeNull();
});

it('maps the source by size and language, in a checkout or without one', async () => {
  const bare = await mapRepository(place.path);
  expect(bare).toEqual({
    v: 1,
    commit: null,
    dirty: null,
    files: [
      { path: 'README.md', bytes: 3, language: 'Markdown' },
      { path: 'src/a.ts', bytes: 3, language: 'TypeScript' },
    ],
    languages: [
      { language: 'Markdown', files: 1, bytes: 3 },
      { language: 'TypeScript', files: 1, bytes: 3 },
    ],
  });
  git('init', '-q');
  git('add', 'src');
  git('commit', '-qm', 'first');
  expect((await mapRepository(place.path)).files).toEqual([
    { path: 'src/a.ts', bytes: 3, language: 'TypeScript' },
  ]);
});

it('maps this very package', async () => {
  const { files } = repositorySchema.parse(await mapRepository(packageRoot()));
  expect(files.map(({ path: name }) => name)).toContain('src/runs/repository.ts');
});
