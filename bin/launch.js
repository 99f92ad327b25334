// Starts one of the two programs with a Node that can run it. A checkout runs its TypeScript as it is (type
// stripping), so that nothing can be stale; a package installed under node_modules, where Node strips no
// types, carries `dist`. Plain JavaScript that an old Node can read: it must be able to say no.
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { broughtNode, isTooOld, NEEDED_MAJOR, standIn } from './runtime.js';

/** @param {'ccp' | 'ccp-uat'} program */
export async function run(program) {
  process.exitCode = isTooOld() ? await runElsewhere(program) : await runHere(program);
}

/** @param {'ccp' | 'ccp-uat'} program */
async function runHere(program) {
  nodeModule.enableCompileCache?.();
  const entry = `commands/${program === 'ccp' ? 'ccp' : 'uat'}/main`;
  const source = new URL(`../src/${entry}.ts`, import.meta.url);
  const { main } = await import(
    existsSync(source) ? source.href : new URL(`../dist/src/${entry}.js`, import.meta.url).href
  );
  return main(process.argv.slice(2));
}

/**
 * Under npx or an npm script the Node that npm runs on is not one that anybody chose: the project's own takes
 * over. An old Node that was called by name is told so.
 * @param {'ccp' | 'ccp-uat'} program
 */
async function runElsewhere(program) {
  const node = process.env['npm_command'] === undefined ? null : broughtNode();
  if (node !== null) return standIn(node, process.argv.slice(1));
  process.stderr.write(
    `${program} needs Node ${NEEDED_MAJOR} or newer and this is ${process.versions.node}: ` +
      `run it as "npx ${program}" after "npm ci" (the project brings its own Node), or put a newer one on the PATH.\n`,
  );
  return 3;
}
