/** What shows only after a while: a proxy that grows, slows down, or dies; a record that is lost among many. */
import type { Fault, Saboteur } from '../types/saboteur.ts';
import { onLines } from './edits.ts';
import { onRequest } from './preload.ts';

const duringNight = { suite: 'overnight', stages: [] } as const;

/** Code that runs within the proxy from its start on, and lets it end when it wants to. */
const within = (code: string): Fault => ({
  layer: 'settings',
  settings: () => ({ NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` }),
});

export const NIGHT_SABOTEURS: readonly Saboteur[] = [
  {
    name: 'memory-leak',
    breaks: 'the proxy gains eight megabytes every tenth of a second',
    faults: [within('const kept = []; setInterval(() => kept.push(Buffer.alloc(8e6, 1)), 100).unref()')],
    caughtBy: ['NIGHT-04'],
    during: { ...duringNight, rounds: 1 },
  },
  {
    name: 'descriptor-leak',
    breaks: 'the proxy opens two files every tenth of a second, and closes none',
    faults: [
      within(
        'import { openSync } from "node:fs"; const open = () => openSync("/dev/null"); setInterval(() => { open(); open(); open(); open() }, 100).unref()',
      ),
    ],
    caughtBy: ['NIGHT-05'],
    during: { ...duringNight, rounds: 1 },
  },
  {
    name: 'slower-and-slower',
    breaks: 'each answer takes longer than the one before',
    faults: [onRequest('globalThis.since ??= Date.now(); setTimeout(then, (Date.now() - since) * 0.1);')],
    caughtBy: ['NIGHT-06'],
    during: { ...duringNight, rounds: 2 },
  },
  {
    name: 'dies-of-itself',
    breaks: 'the proxy dies a second after its first request',
    faults: [
      onRequest("globalThis.dying ??= setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1000); then();"),
    ],
    caughtBy: ['NIGHT-07'],
    during: { ...duringNight, rounds: 1 },
  },
  {
    name: 'toggle-without-effect',
    breaks: 'the proxy speaks HTTP/2 whatever is set',
    faults: [{ layer: 'settings', settings: () => ({ CCP_FORCE_H1: '0' }) }],
    caughtBy: ['NIGHT-08'],
    during: duringNight,
  },
  {
    name: 'night-loses-one',
    breaks: 'the first completion of each world is not in the log',
    faults: [
      {
        layer: 'records',
        alter(told) {
          let lost = false;
          return onLines('completion', (line) => {
            if (lost) return line;
            lost = true;
            return [];
          })(told);
        },
      },
    ],
    caughtBy: ['NIGHT-01', 'NIGHT-02', 'NIGHT-03'],
    during: { ...duringNight, rounds: 1 },
  },
  {
    name: 'slow-leak',
    breaks: 'the proxy keeps one and a half megabytes of each request',
    faults: [onRequest('(globalThis.kept ??= []).push(Buffer.alloc(1.5e6, 1)); then();')],
    caughtBy: ['NIGHT-04'],
    during: { suite: 'longrun', stages: [] },
  },
  {
    name: 'one-at-a-time',
    breaks: 'a request waits for the end of the one before',
    faults: [
      onRequest(`
        const ended = new Promise((resolve) => rest[1].once('close', resolve));
        globalThis.before = (globalThis.before ?? Promise.resolve()).then(() => { then(); return ended; });`),
    ],
    caughtBy: ['NIGHT-09'],
    during: { suite: 'parallel', stages: [] },
  },
];
