import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readEnvFile } from './env-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ccp-env-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function read(text: string) {
  const path = join(folder, 'settings.env');
  writeFileSync(path, text);
  return readEnvFile(path, () => 'own');
}

it('names what stands there more than once, with its lines', () => {
  const { values, repeated } = read('# keys\nA=1\n\n  export B = 2\nA=3\nC=4\nB="5"\r\nA=6\n');
  expect(values).toEqual({ A: '6', B: '5', C: '4' });
  expect(repeated).toEqual([
    { name: 'A', lines: [2, 5, 8] },
    { name: 'B', lines: [4, 7] },
  ]);
});

it('takes no line of a comment or of a value over several lines for a setting', () => {
  const text = 'A=1\n#A=2\nB="x\nA=3\nB=4"\nC=it\'s\nD=`\nA=5\n`\n';
  expect(read(text)).toMatchObject({ values: { A: '1', B: 'x\nA=3\nB=4' }, repeated: [] });
});

it('counts the lines that Node reads, whatever the values are', () => {
  const value = fc.constantFrom('1', '"a"', "'b # c'", '"a\nA=2"', '`\nB=3\n`', "'", 'x # y', '"a" "b"');
  const line = fc
    .tuple(fc.constantFrom('A', 'B', 'C', 'export A', '# A', ' B '), value)
    .map((pair) => pair.join('='));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
      const text = lines.join('\n');
      const { values, repeated } = read(text);
      for (const { name, lines: at } of repeated) {
        expect(values).toHaveProperty(name);
        // Cut off before the last of them, the text still sets the name.
        const before = text.split('\n').slice(0, (at.at(-1) ?? 0) - 1);
        expect(parseEnv(before.join('\n'))).toHaveProperty(name);
      }
    }),
  );
});
