/** The storing thread: answers the relaying thread's requests one after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { failureOf } from './explain.ts';
import { createKeeper } from './keeper.ts';
import type { FromKeeper, ThreadData, ToKeeper } from './thread.ts';

const { path }: ThreadData = workerData;
const say = (message: FromKeeper): void => parentPort?.postMessage(message);
const keeper = createKeeper({
  path,
  onAnother: (whatBecame) => say({ whatBecame }),
  onImport: () => say({ imported: true }),
});

parentPort?.on('message', ({ id, name, argument }: ToKeeper) => {
  try {
    say({ id, result: Reflect.apply(keeper[name], keeper, [argument]) });
  } catch (error) {
    say({ id, failure: failureOf(error, path) });
  }
});
