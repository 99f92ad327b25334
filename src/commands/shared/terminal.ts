/** What a long command needs of the process beside its host: whether somebody watches, and whether they had enough. */
import { createInterface } from 'node:readline/promises';
import { EXIT, OperatorError } from '../../errors.ts';

export interface Terminal {
  /** Where a live list can be drawn; null where nobody watches. */
  readonly live: NodeJS.WriteStream | null;
  /**
   * Asks a yes-or-no question; null where there is nobody to ask. `ifNot` is what is so without a yes, e.g. `nothing was
   * deleted`. Rejects with `INTERRUPTED` on Ctrl-C and Ctrl-D.
   */
  readonly ask: ((question: string, ifNot: string) => Promise<boolean>) | null;
  /** A signal that aborts on the first SIGINT, SIGTERM or SIGHUP; the second one ends the process at once. */
  interruption(): { readonly signal: AbortSignal } & Disposable;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function processTerminal(): Terminal {
  return {
    // A terminal that does not say how wide it is can't be drawn on.
    live: process.stderr.isTTY && process.stderr.columns > 0 ? process.stderr : null,
    ask: process.stdin.isTTY && process.stderr.isTTY ? askYes : null,
    interruption() {
      const controller = new AbortController();
      const stop = (signal: NodeJS.Signals): void => {
        // The listener stays: were it gone, those who clean up at exit would take the signal for the end.
        if (controller.signal.aborted) process.exit(EXIT.interrupted);
        controller.abort(new OperatorError('INTERRUPTED', `interrupted by ${signal}`));
      };
      const release = (): void => {
        for (const name of SIGNALS) process.off(name, stop);
      };
      for (const name of SIGNALS) process.on(name, stop);
      return { signal: controller.signal, [Symbol.dispose]: release };
    },
  };
}

async function askYes(question: string, ifNot: string): Promise<boolean> {
  using lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'AbortError') throw error;
    process.stderr.write('\n');
    throw new OperatorError('INTERRUPTED', ifNot, { cause: error });
  }
}
