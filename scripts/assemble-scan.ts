/**
 * Assembles the body scanner: `src/protocol/body-scan.wat` becomes `body-scan.wasm.ts`. `--check` writes nothing
 * and exits 1 where that is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import createWabt from 'wabt';

const SOURCE = fileURLToPath(new URL('../src/protocol/body-scan.wat', import.meta.url));
const TARGET = fileURLToPath(new URL('../src/protocol/body-scan.wasm.ts', import.meta.url));

const LINE = 100;

/** The module text that `wat` becomes. Throws where it does not assemble. */
export async function assemble(wat: string): Promise<string> {
  const wabt = await createWabt();
  const parsed = wabt.parseWat('body-scan.wat', wat, { simd: true });
  try {
    parsed.resolveNames();
    parsed.validate();
    const encoded = Buffer.from(parsed.toBinary({}).buffer).toString('base64');
    const lines = encoded.match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
    return `// Made by scripts/assemble-scan.ts from body-scan.wat: edit that, then "npm run docs".
export const BODY_SCAN_WASM =
${lines.map((line) => `  '${line}'`).join(' +\n')};
`;
  } finally {
    parsed.destroy();
  }
}

if (import.meta.main) {
  const text = await assemble(readFileSync(SOURCE, 'utf8'));
  const stale = readFileSync(TARGET, { encoding: 'utf8', flag: 'a+' }) !== text;
  if (stale && process.argv.includes('--check')) {
    process.stdout.write('src/protocol/body-scan.wasm.ts is stale: run "npm run docs"\n');
    process.exitCode = 1;
  } else if (stale) writeFileSync(TARGET, text);
}
