/** The storing thread as seen from the relaying one. It starts with the first request and never keeps the process alive. */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { errorOf, type Failure } from './failure.ts';
import type { Damage, Keeper, KeeperOptions } from './keeper.ts';

export type Request = keyof Keeper;
type Argument<R extends Request> = Parameters<Keeper[R]>;
type Result<R extends Request> = ReturnType<Keeper[R]>;

export interface ThreadData {
  readonly path: string;
}

export interface ToKeeper {
  readonly id: number;
  readonly name: Request;
  readonly argument: unknown;
}

export type FromKeeper =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: Failure }
  | { readonly whatBecame: string }
  | { readonly imported: true };

export interface KeeperThread extends AsyncDisposable {
  /** Rejects with what the keeper throws, an `OperatorError` where it is nobody's bug. */
  ask<R extends Request>(name: R, ...argument: Argument<R>): Promise<Result<R>>;
  /** Reads the file to its end in a third thread; gives what is wrong with it, null where nothing is. */
  check(): Promise<Damage | null>;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Nothing is started yet. `onAnother` and `onImport` are told as the keeper's are. */
export function createKeeperThread({ path, onAnother, onImport }: KeeperOptions): KeeperThread {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let ids = 0;
  let ended = false;

  const hear = (message: FromKeeper): void => {
    if ('whatBecame' in message) return onAnother(message.whatBecame);
    if ('imported' in message) return onImport();
    const one = waiting.get(message.id);
    waiting.delete(message.id);
    if (waiting.size === 0) worker?.unref();
    if ('failure' in message) one?.reject(errorOf(message.failure));
    else one?.resolve(message.result);
  };

  const start = (): Worker => {
    const started = startThread('worker', path);
    let reason = new Error('the storing thread ended');
    started.on('message', hear);
    started.on('error', (error: Error) => {
      reason = error;
    });
    started.on('exit', () => {
      worker = null;
      const lost = [...waiting.values()];
      waiting.clear();
      for (const one of lost) one.reject(reason);
    });
    return started;
  };

  const ask: KeeperThread['ask'] = (name, ...argument) =>
    new Promise((resolve, reject) => {
      if (ended) throw new Error('the store is closed');
      worker ??= start();
      worker.ref();
      const id = ids++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, name, argument: argument[0] } satisfies ToKeeper);
    });

  return {
    ask,
    check: () =>
      new Promise((resolve) => {
        const checker = startThread('checker', path);
        checker.unref();
        checker.once('message', resolve);
        checker.once('error', () => resolve(null));
        checker.once('exit', () => resolve(null));
      }),
    async [Symbol.asyncDispose]() {
      if (worker === null) return;
      const closed = ask('close').catch(() => {});
      ended = true;
      await closed;
      await worker?.terminate();
    },
  };
}

/** The source in a checkout, what it was compiled to in a package; the compiler leaves a URL's name as it is. */
function startThread(name: 'worker' | 'checker', path: string): Worker {
  const url = new URL(`./${name}${extname(import.meta.url)}`, import.meta.url);
  // Nothing of how this process was started is meant for it.
  return new Worker(url, {
    workerData: { path } satisfies ThreadData,
    env: {},
    execArgv: [],
    name: `ccp store ${name}`,
  });
}
