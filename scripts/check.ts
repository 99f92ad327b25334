/**
 * `npm run check`: everything that a change must pass, the same here and in CI. One line a step; a step's
 * output is shown when it fails, the test runner's closing lines always.
 * `--only a,b` and `--skip a,b` choose steps by name. Exits 1 if a step failed, 2 on a wrong command line.
 */
import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, stripVTControlCharacters } from 'node:util';

export interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Runs when the others are done: it needs the machine for itself. */
  readonly alone?: true;
  /** The part of a passing step's output that is worth its lines. */
  readonly closing?: (output: string) => string;
}

const STEPS: readonly Step[] = [
  { name: 'format', command: ['biome', 'ci', '--colors=off', '--enforce-assist=true', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'structure', command: ['node', 'scripts/check-structure.ts'] },
  { name: 'words', command: ['node', 'scripts/check-words.ts'] },
  { name: 'dead-code', command: ['knip'] },
  { name: 'docs', command: ['node', 'scripts/generate-docs.ts', '--check'] },
  { name: 'scanner', command: ['node', 'scripts/assemble-scan.ts', '--check'] },
  { name: 'tests', command: ['vitest', 'run'], alone: true, closing: closingLines },
];

/** Two steps at a time: more than the cores of a small machine only make each of them later. */
const AT_ONCE = 2;

const ROOT = fileURLToPath(new URL('..', import.meta.url));

if (import.meta.main) {
  const chosen = choose(STEPS, process.argv.slice(2));
  if (typeof chosen === 'string') process.stderr.write(`${chosen}\n`);
  process.exitCode = typeof chosen === 'string' ? 2 : (await runSteps(chosen, ROOT, print)) ? 0 : 1;
}

/** The steps that a command line asks for, or what is wrong with it. */
export function choose(steps: readonly Step[], args: readonly string[]): readonly Step[] | string {
  const options = { only: { type: 'string' }, skip: { type: 'string', default: '' } } as const;
  const { values } = parseArgs({ args: [...args], options });
  const [only, skip] = [values.only?.split(','), values.skip.split(',').filter(Boolean)];
  const known = steps.map(({ name }) => name);
  const unknown = [...(only ?? []), ...skip].find((name) => !known.includes(name));
  if (unknown !== undefined) return `check: no step is called ${unknown}; there are ${known.join(', ')}`;
  const chosen = steps.filter(({ name }) => (only?.includes(name) ?? true) && !skip.includes(name));
  return chosen.length > 0 ? chosen : 'check: no step is left to run';
}

/** Runs the steps in `folder` and tells `tell` a line (or a block) of each as it ends. True if all passed. */
export async function runSteps(
  steps: readonly Step[],
  folder: string,
  tell: (text: string) => void,
): Promise<boolean> {
  const waiting = steps.filter(({ alone }) => alone !== true);
  const passed: boolean[] = [];
  const work = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      passed.push(await runStep(step, folder, tell));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const step of steps.filter(({ alone }) => alone)) passed.push(await runStep(step, folder, tell));
  return passed.every(Boolean);
}

async function runStep(step: Step, folder: string, tell: (text: string) => void): Promise<boolean> {
  const started = performance.now();
  const { ok, output } = await execute(step.command, folder);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const shown = ok ? (step.closing?.(output) ?? '') : output;
  tell(`${ok ? 'ok    ' : 'FAILED'}  ${step.name.padEnd(10)} ${seconds.padStart(6)} s\n${shown}`);
  return ok;
}

function execute([file, ...args]: Step['command'], folder: string): Promise<{ ok: boolean; output: string }> {
  const PATH = [join(ROOT, 'node_modules/.bin'), dirname(process.execPath), process.env['PATH']].join(
    delimiter,
  );
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: folder,
      env: { ...process.env, PATH },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (piece: Buffer): void => {
      output += piece.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => resolve({ ok: false, output: `${error.message}\n` }));
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}

/** Vitest's counts of files and tests, and the time it took. */
function closingLines(output: string): string {
  const lines = stripVTControlCharacters(output).split('\n');
  const [first, last] = ['Test Files', 'Duration'].map((word) =>
    lines.findLastIndex((line) => line.trimStart().startsWith(word)),
  );
  return `${lines.slice(first, (last ?? 0) + 1).join('\n')}\n`;
}

function print(text: string): void {
  process.stdout.write(text);
}
