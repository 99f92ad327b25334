/** What can go wrong where the proxy is killed: most of it in the process itself, by a module that it is started with. */
import type { Crash } from '../../protocol/witness.ts';
import type { Fault, Saboteur } from '../types/saboteur.ts';
import { onAnswers } from './edits.ts';
import { holdLog, onRequest, onStoring } from './preload.ts';

const during = { suite: 'soak-persist', stages: [] } as const;

const kills = (alter: (crash: Crash) => Partial<Crash>): Fault => ({
  layer: 'records',
  alter: (told) => ({ ...told, crashes: told.crashes.map((crash) => ({ ...crash, ...alter(crash) })) }),
});

/** At the tenth request, when there is a store: no page of it is left, nor the log of what is to go into it. */
const DAMAGE = `
  globalThis.asked = (globalThis.asked ?? 0) + 1;
  if (globalThis.asked === 10) {
    const file = process.env.CCP_LOGS_DIR + '/ccp.sqlite3';
    fs.rmSync(file + '-wal', { force: true });
    fs.rmSync(file + '-shm', { force: true });
    fs.writeFileSync(file, 'x'.repeat(8192));
  }
  then();`;

/**
 * Megabytes by the time since the first request, and not by request: as many on a slow machine as on a fast one. A timer
 * that comes late, or not at all, is made up for by the next request.
 */
const LEAK = `
  globalThis.kept ??= { since: Date.now(), blocks: [] };
  globalThis.leak ??= () => {
    const due = (Date.now() - kept.since) * 0.2;
    while (kept.blocks.length * 8 < due) kept.blocks.push(Buffer.alloc(2 ** 23, 1));
  };
  globalThis.leaking ??= setInterval(leak, 20).unref();
  leak();
  then();`;

/** Two hundred a second, by the time like the memory: as many on a machine that answers little. */
const OPEN_FILES = `
  globalThis.opened ??= { since: Date.now(), count: 0 };
  for (const due = (Date.now() - opened.since) * 0.2; opened.count < due; opened.count += 1) fs.openSync('/dev/null');
  then();`;

/** The storing thread finds nothing of what an earlier process kept. */
const AMNESIA = `
  const asksForPast = message.argument?.since > 0;
  then(asksForPast ? { ...message, argument: { ...message.argument, since: Number.MAX_SAFE_INTEGER } } : message);`;

export const KILL_SABOTEURS: readonly Saboteur[] = [
  {
    name: 'rows-lost-on-kill',
    breaks: 'the store is written seconds late, and a kill takes what it lacks',
    faults: [onStoring("setTimeout(then, message.name === 'write' ? 3_000 : 0, message);")],
    caughtBy: ['PERSIST-01'],
    during,
  },
  {
    name: 'store-damaged-under-load',
    breaks: 'something else writes into the file of the store',
    faults: [onRequest(DAMAGE)],
    caughtBy: ['PERSIST-01', 'PERSIST-06'],
    during,
  },
  {
    name: 'answer-lost-on-kill',
    breaks: 'the log is written in batches, and a kill takes the record of answers that clients had',
    faults: [holdLog(300)],
    caughtBy: ['PERSIST-02'],
    during,
  },
  {
    name: 'hour-doubled-on-kill',
    breaks: 'after a kill the rollups count again what they had counted',
    faults: [
      kills(({ doubled }) => ({
        doubled: [...doubled, '2026-01-02T03:00:00.000Z zai: 2 in the rollup, 1 rows'],
      })),
    ],
    caughtBy: ['PERSIST-01'],
    during,
  },
  {
    name: 'quota-forgets',
    breaks: 'after a restart a budget begins from nothing',
    faults: [onStoring(AMNESIA)],
    caughtBy: ['PERSIST-03'],
    during,
  },
  {
    name: 'slopes-unread',
    breaks: 'nobody looks at what the process takes',
    faults: [kills(() => ({ slopes: null }))],
    caughtBy: ['PERSIST-04'],
    during,
  },
  {
    name: 'files-leaked',
    breaks: 'requests leave ever more files open',
    faults: [onRequest(OPEN_FILES)],
    caughtBy: ['PERSIST-04'],
    during,
  },
  {
    name: 'memory-leaked',
    breaks: 'from its first request on the proxy takes ever more memory',
    faults: [onRequest(LEAK)],
    caughtBy: ['PERSIST-04'],
    during,
  },
  {
    name: 'load-in-vain',
    breaks: 'under load Anthropic answers with errors alone, and so does the proxy',
    faults: [
      {
        layer: 'upstream',
        provider: 'anth',
        rewrite: () =>
          onAnswers((head) => ({ head: { ...head, status: 500, reason: 'Internal Server Error' } })),
      },
    ],
    caughtBy: ['PERSIST-05'],
    during,
  },
  {
    name: 'load-stalled',
    breaks: 'the proxy takes two seconds for each request, so that a kill finds nothing to lose',
    faults: [onRequest('setTimeout(then, 2_000);')],
    caughtBy: [],
    // Nothing is lost where there is nothing to lose, which is no proof that nothing can be.
    blinds: ['PERSIST-01', 'PERSIST-02', 'PERSIST-05'],
    during,
  },
];
