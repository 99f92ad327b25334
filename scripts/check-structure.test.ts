import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkStructure, judge, readUses } from './check-structure.ts';

describe('reading imports', () => {
  it.each([
    ['a static import', "import { a } from './b.ts';", false],
    ['an import for its effects', "import './b.ts';", false],
    ['a type import', "import type { A } from './b.ts';", true],
    ['a named re-export', "export { a } from './b.ts';", false],
    ['a re-export of everything', "export * from './b.ts';", false],
    ['a type re-export', "export type { A } from './b.ts';", true],
    ['a dynamic import', "const b = await import('./b.ts');", false],
    ['a type taken from a module', "export type A = import('./b.ts').A;", true],
    ['a file started by URL', "new Worker(new URL('./b.ts', import.meta.url));", false],
    ['inline types, which still load the module', "import { type A } from './b.ts';", false],
  ])('sees %s, with its line', (_name, source, typeOnly) => {
    expect(readUses('src/core/a.ts', `// first line\n${source}`)).toEqual([
      { file: 'src/core/a.ts', line: 2, target: 'src/core/b.ts', typeOnly },
    ]);
  });

  it('sees a computed import as one without a target', () => {
    expect(readUses('src/core/a.ts', 'await import(name);')).toMatchObject([{ target: null }]);
  });

  it('ignores packages, modules of Node, comments and strings that look like imports', () => {
    const text = `import 'zod'; import 'node:fs';\n// import './x.ts'\nconst s = "import './y.ts'";`;
    expect(readUses('src/core/a.ts', text)).toEqual([]);
  });

  it('refuses a file that does not parse', () => {
    expect(() => readUses('src/core/a.ts', 'import {')).toThrow('src/core/a.ts');
  });
});

const verdict = (file: string, target: string, typeOnly = false): string[] =>
  judge({ file, line: 3, target, typeOnly }).map(({ rule }) => rule);

describe('judging one import', () => {
  it.each([
    ['src/platform/clock.ts', 'src/protocol/sse.ts'],
    ['src/protocol/sse.ts', 'src/platform/clock.ts'],
    ['src/core/relay.ts', 'src/features/routing/router.ts'],
    ['src/core/relay.ts', 'src/config/ccp.ts'],
    ['src/features/routing/router.ts', 'src/features/journal/journal.ts'],
    ['src/features/routing/router.ts', 'src/config/ccp.ts'],
    ['src/analysis/summary.ts', 'src/platform/clock.ts'],
    ['src/analysis/summary.ts', 'src/core/types.ts'],
    ['src/harness/target.ts', 'src/core/types.ts'],
    ['src/harness/target.ts', 'src/features/journal/journal.ts'],
    ['src/harness/target.test.ts', 'src/core/relay.ts'],
    ['src/runs/execute.ts', 'src/core/types.ts'],
    ['src/runs/execute.ts', 'src/ccp.ts'],
    ['src/commands/ccp/serve.ts', 'src/core/relay.ts'],
    ['src/commands/uat/run.ts', 'src/commands/ccp/serve.ts'],
    ['src/ccp-uat.ts', 'src/ccp.ts'],
    ['src/issuer/desk.ts', 'src/features/license/verify.ts'],
    ['src/ccp.ts', 'src/issuer/issuer.ts'],
    ['src/harness/target.ts', 'src/issuer/mint.ts'],
    ['src/errors.ts', 'src/platform/log.ts'],
    ['suites/repro.ts', 'src/core/types.ts'],
    ['src/core/relay.ts', 'scripts/check.ts'],
  ])('refuses %s → %s, even for types', (file, target) => {
    expect(verdict(file, target, true)).toHaveLength(1);
    expect(verdict(file, target, false)).toHaveLength(1);
  });

  it.each([
    ['src/features/routing/router.ts', 'src/core/types.ts'],
    ['src/harness/target.ts', 'src/protocol/usage-event.ts'],
    ['src/analysis/summary.ts', 'src/protocol/usage-event.ts'],
  ])('allows %s → %s for types only', (file, target) => {
    expect(verdict(file, target, true)).toEqual([]);
    expect(verdict(file, target, false)).toEqual([expect.stringContaining('only types')]);
  });

  it.each([
    ['src/core/relay.ts', 'src/protocol/sse.ts'],
    ['src/core/relay.ts', 'src/core/types.ts'],
    ['src/core/relay.ts', 'src/errors.ts'],
    ['src/ccp.ts', 'src/features/routing/router.ts'],
    ['src/commands/ccp/serve.ts', 'src/ccp.ts'],
    ['src/commands/ccp/issuer/serve.ts', 'src/issuer/issuer.ts'],
    ['src/commands/uat/run.ts', 'src/ccp-uat.ts'],
    ['src/runs/execute.ts', 'src/harness/target.ts'],
  ])('allows %s → %s', (file, target) => {
    expect(verdict(file, target)).toEqual([]);
  });

  it('refuses a computed import', () => {
    expect(judge({ file: 'src/core/a.ts', line: 1, target: null, typeOnly: false })).toHaveLength(1);
  });
});

describe('judging a tree', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'structure-'));
    mkdirSync(join(root, 'src'));
    mkdirSync(join(root, 'suites'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };

  it('names file, line and rule of each violation', () => {
    write('src/protocol/sse.ts', 'export const a = 1;');
    write('src/core/relay.ts', "import { a } from '../protocol/sse.ts';\n\nimport '../features/x/y.ts';");
    expect(checkStructure(root)).toMatchObject({
      modules: 2,
      uses: 2,
      violations: [
        { file: 'src/core/relay.ts', line: 3, rule: expect.stringContaining('core may not import') },
      ],
    });
  });

  it('refuses a folder, and a file, that is not listed, also one named like a root file', () => {
    for (const file of ['src/utils/a.ts', 'src/loose.ts', 'src/ccp/a.ts', 'src/commands/a.ts']) {
      write(file, "import '../protocol/sse.ts';");
    }
    expect(checkStructure(root).violations.map(({ file }) => file)).toEqual([
      'src/ccp/a.ts',
      'src/commands/a.ts',
      'src/loose.ts',
      'src/utils/a.ts',
    ]);
  });

  it('fails where it saw no module, and where it saw no import', () => {
    expect(() => checkStructure(root)).toThrow('no module found');
    write('src/core/relay.ts', 'export const a = 1;');
    expect(() => checkStructure(root)).toThrow('not one import');
  });
});
