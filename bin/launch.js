// Starts one of the two programs with the Node that runs this file. A checkout runs its TypeScript as it
// is (type stripping), so that nothing can be stale; a package installed under node_modules, where Node
// strips no types, carries `dist`. Plain JavaScript that an old Node can read: it must be able to say no.
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';

const NEEDED_MAJOR = 24;

/** @param {'ccp' | 'ccp-uat'} program */
export async function run(program) {
  if (Number(process.versions.node.split('.')[0]) < NEEDED_MAJOR) {
    process.stderr.write(
      `${program} needs Node ${NEEDED_MAJOR} or newer and this is ${process.versions.node}: ` +
        `run it as "npx ${program}" after "npm ci" (the project brings its own Node), or put a newer one on the PATH.\n`,
    );
    process.exit(3);
  }
  nodeModule.enableCompileCache?.();
  const entry = `commands/${program === 'ccp' ? 'ccp' : 'uat'}/main`;
  const source = new URL(`../src/${entry}.ts`, import.meta.url);
  const { main } = await import(
    existsSync(source) ? source.href : new URL(`../dist/src/${entry}.js`, import.meta.url).href
  );
  process.exitCode = await main(process.argv.slice(2));
}
