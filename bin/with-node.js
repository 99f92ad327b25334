// `node bin/with-node.js COMMAND…` runs a command with a Node that is new enough first on its PATH: this one,
// or the one that the project brings (runtime.js says why npm's scripts cannot rely on the PATH alone).
import { delimiter, dirname } from 'node:path';
import { broughtNode, isTooOld, NEEDED_MAJOR, standIn } from './runtime.js';

const [command, ...args] = process.argv.slice(2);
const node = isTooOld() ? broughtNode() : process.execPath;
if (node === null || command === undefined) {
  process.stderr.write(
    `a command and a Node ${NEEDED_MAJOR} are needed; this one is ${process.versions.node}\n`,
  );
  process.exitCode = 3;
} else {
  const PATH = [dirname(node), process.env['PATH']].join(delimiter);
  process.exitCode = await standIn(command, args, { ...process.env, PATH });
}
