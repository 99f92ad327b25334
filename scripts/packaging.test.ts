import { execFile, execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program with nothing of our environment but the PATH, so that no npm around the tests is seen. */
function run(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env['PATH'], ...env }, timeout: 15_000 };
    execFile(file, args, options, (error, stdout, stderr) => {
      resolve({
        code: error === null ? 0 : Number(error.code ?? -1),
        stdout,
        stderr: stripVTControlCharacters(stderr),
      });
    });
  });
}

/** A Node older than the programs need, somewhere on the PATH. */
function findOldNode(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'node'))
    .filter((file) => existsSync(file))
    .find(
      (file) => Number(/^v(\d+)/.exec(execFileSync(file, ['--version'], { encoding: 'utf8' }))?.[1]) < 24,
    );
}

const oldNode = findOldNode();

describe.skipIf(oldNode === undefined)(
  'with a Node that is too old (skipped where the PATH has none)',
  () => {
    const old = oldNode ?? '';

    it.each(['ccp', 'ccp-uat'])(
      '%s says so in one sentence and exits 3 when it was called by name',
      async (program) => {
        const { code, stdout, stderr } = await run(old, [join(ROOT, `bin/${program}.js`), '--version']);
        expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
        expect(stderr).toMatch(
          new RegExp(`^${program} needs Node 24 or newer and this is [\\d.]+: [^\\n]*\\n$`),
        );
      },
    );

    it('npx gets the Node that the project brings, and its exit code', async () => {
      const npx = { npm_command: 'exec' };
      expect(await run(old, [join(ROOT, 'bin/ccp.js'), '--version'], npx)).toMatchObject({
        code: 0,
        stdout: `${version}\n`,
      });
      expect(await run(old, [join(ROOT, 'bin/ccp.js'), 'no-such-command'], npx)).toMatchObject({ code: 2 });
    });

    it('npm scripts get it first on their PATH', async () => {
      const { stdout } = await run(old, [join(ROOT, 'bin/with-node.js'), 'node', '--version']);
      expect(Number(/^v(\d+)/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(24);
    });
  },
);

const withNode = (...command: string[]): Promise<Ended> =>
  run(process.execPath, [join(ROOT, 'bin/with-node.js'), ...command]);

describe('with-node', () => {
  it("passes the command's exit code on, also of one that a signal ended", async () => {
    expect(await withNode('node', '-e', 'process.exit(7)')).toMatchObject({ code: 7 });
    expect(await withNode('node', '-e', 'process.kill(process.pid, "SIGTERM")')).toMatchObject({ code: 143 });
  });

  it('exits 3 without a command', async () => {
    expect(await withNode()).toMatchObject({ code: 3 });
  });
});

describe('the package that npm would publish', () => {
  let folder: string;
  let installed: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'package-'));
    installed = installPackage(folder);
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it('carries compiled programs and nothing for tests, and answers from under node_modules', async () => {
    expect(existsSync(join(installed, 'src'))).toBe(false);
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
    expect(files).toContain('dist/src/commands/ccp/main.js');
    expect(files.filter((file) => /^dist.*\.ts$|\.test\.|(^|\/)testing(\/|$)/.test(file))).toEqual([]);
    for (const program of ['ccp', 'ccp-uat']) {
      const answer = await run(process.execPath, [join(installed, `bin/${program}.js`), '--version']);
      expect(answer).toMatchObject({ code: 0, stdout: `${version}\n` });
    }
  });

  it('starts its storing thread there, where Node strips no types', async () => {
    const url = (name: string): string =>
      JSON.stringify(pathToFileURL(join(installed, 'dist/src', name)).href);
    const script = `
      import { openStore } from ${url('store/store.js')};
      import { systemClock } from ${url('platform/clock.js')};
      const log = { info: console.log, warn: console.log, error: console.log };
      const path = ${JSON.stringify(join(folder, 'store.sqlite3'))};
      await using store = openStore({ path, flushMs: 1, ttlDays: 1, rollupMs: 1000, clock: systemClock, log });
      const { schema_version, trouble } = await store.status();
      console.log(schema_version, trouble);`;
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', script]);
    expect({ stdout, stderr }).toEqual({ stdout: '4 null\n', stderr: '' });
  });

  it('finds its suites and fixtures there', async () => {
    const { code, stdout, stderr } = await run(process.execPath, [
      join(installed, 'bin/ccp-uat.js'),
      'list',
      '--json',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('repro-go-quick');
  });
});

/** Builds and packs a copy of what the package is made of, and unpacks it beside the modules it needs. */
function installPackage(folder: string): string {
  const [stage, modules] = [join(folder, 'stage'), join(folder, 'node_modules')];
  mkdirSync(stage);
  for (const name of readdirSync(ROOT).filter((entry) => !OUTSIDE.has(entry))) {
    cpSync(join(ROOT, name), join(stage, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(stage, 'node_modules'));
  inFolder(stage, 'npm', 'run', 'build');
  const packed = inFolder(stage, 'npm', 'pack', '--json');
  const [{ filename }] = z.tuple([z.object({ filename: z.string() })]).parse(JSON.parse(packed));
  inFolder(stage, 'tar', '-xzf', filename);
  cpSync(join(stage, 'package'), join(modules, 'ccp'), { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  return join(modules, 'ccp');
}

/** What a command printed; throws with all it said if it failed. */
function inFolder(cwd: string, file: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(file, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${[file, ...args].join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}

const OUTSIDE: ReadonlySet<string> = new Set(['.git', 'node_modules', 'dist', 'coverage', 'logs', 'results']);
