// Which Node runs us. The project brings its own as a platform package; npm 11 links it into node_modules/.bin,
// so that npx and npm's scripts find it first. npm 10 removes that link again while it tidies up after the
// packages of the other platforms, which claim the same name: then we hand over to it ourselves.
// Plain JavaScript that an old Node can read.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';

export const NEEDED_MAJOR = 24;

/** Whether the Node running this is older than the programs need. */
export const isTooOld = () => Number(process.versions.node.split('.')[0]) < NEEDED_MAJOR;

/** The Node that npm installed for us on this platform; null where there is none. */
export function broughtNode() {
  try {
    return createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/bin/node`);
  } catch {
    return null;
  }
}

/**
 * Runs a program in our place, with our terminal and our signals.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>} its exit code; 128 + the signal's number where a signal ended it
 */
export function standIn(file, args, env = process.env) {
  const child = spawn(file, args, { stdio: 'inherit', env });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  });
}
