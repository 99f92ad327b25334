/** Breaks the target itself: a module that its process loads before its own, and that gets in its way. */
import type { Fault } from '../types/saboteur.ts';

/** `source` is an ECMAScript module; what it imports is Node's own. Threads of the target do not load it. */
export function preload(source: string): Fault {
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  return { layer: 'settings', settings: () => ({ NODE_OPTIONS: `--import=${url}` }) };
}

/** Gets between the target's server and each request for a message: `then` is what to call, now or later. */
export const onRequest = (statements: string): Fault =>
  preload(`
    import fs from 'node:fs';
    import http from 'node:http';
    const { emit } = http.Server.prototype;
    http.Server.prototype.emit = function (name, ...rest) {
      const then = () => emit.call(this, name, ...rest);
      if (name !== 'request' || rest[0].method !== 'POST') return then();
      ${statements}
      return true;
    };
  `);

/** A path that ends so is to the proxy none of its own: it begins with one stroke more, and ends the same. */
export const disown = (ending: string): Fault =>
  preload(`
    import http from 'node:http';
    const { emit } = http.Server.prototype;
    http.Server.prototype.emit = function (name, ...rest) {
      if (name === 'request' && rest[0].url.endsWith(${JSON.stringify(ending)})) rest[0].url = '/' + rest[0].url;
      return emit.call(this, name, ...rest);
    };
  `);

/** Holds each line of the log that tells of a completion back for so long (milliseconds). Linux. */
export const holdLog = (ms: number): Fault =>
  preload(`
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { writeSync } = fs;
    fs.writeSync = (fd, bytes, ...rest) => {
      if (!String(bytes).includes('"event":"completion"')) return writeSync(fd, bytes, ...rest);
      const file = fs.readlinkSync('/proc/self/fd/' + fd);
      setTimeout(() => fs.appendFileSync(file, bytes), ${ms});
      return bytes.length;
    };
    syncBuiltinESMExports();
  `);

/** Gets between the proxy and its storing thread: `statements` may alter `message`, and say when to `then(message)`. */
export const onStoring = (statements: string): Fault =>
  preload(`
    import { Worker } from 'node:worker_threads';
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (message, ...rest) {
      const then = (altered) => postMessage.call(this, altered, ...rest);
      ${statements}
    };
  `);
