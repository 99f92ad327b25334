/** Shows a page again and again, until the person has seen enough. */
import { EXIT, OperatorError } from '../../errors.ts';
import { type Host, plain } from './host.ts';

export interface WatchOptions {
  /** Makes the page. An `OperatorError` is shown in its place, and may be over at the next look. */
  readonly page: () => Promise<string>;
  readonly everyMs: number;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

/** Gives the exit code: interrupted, unless its reader has left, which is no mistake. */
export async function watch({ out }: Host, { page, everyMs, signal }: WatchOptions): Promise<number> {
  const over = out.gone === undefined ? signal : AbortSignal.any([signal, out.gone]);
  if (out.isTerminal) out.write(HIDE_CURSOR);
  try {
    while (!over.aborted) {
      const text = await page().catch(sentence);
      // What was asked for before the end came too late.
      if (over.aborted) break;
      out.write(out.isTerminal ? overdrawn(clipped(text, out.height)) : text);
      await pause(everyMs, over);
    }
  } finally {
    if (out.isTerminal) out.write(SHOW_CURSOR);
  }
  return signal.aborted ? EXIT.interrupted : EXIT.ok;
}

/** `--watch` of a command: until Ctrl-C, or until nobody reads on. */
export async function watchUntilInterrupted(host: Host, page: () => Promise<string>): Promise<number> {
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await watch(host, { page, everyMs: EVERY_MS, signal: interrupt.signal });
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

/** Or the page as it is now, once. */
export async function show(host: Host, page: () => Promise<string>): Promise<number> {
  host.out.write(await page());
  return EXIT.ok;
}

const EVERY_MS = 2_000;
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
/** A colour may end below. */
const UNPAINTED = '\u001b[0m';
const CLEAR_BELOW = '\u001b[J';

/** As much of a page as a screen shows at once: the line behind its end is on the screen, too, and would scroll it. */
export function clipped(text: string, height = 0): string {
  const lines = text.split('\n');
  if (height < 3 || lines.length <= height) return text;
  const shown = lines.slice(0, height - 2);
  return `${shown.join('\n')}\n${UNPAINTED}… ${lines.length - 1 - shown.length} more lines\n`;
}

/** In one write and without clearing first: an empty screen in between is what flickers. */
export const overdrawn = (text: string): string =>
  HOME + text.replaceAll('\n', `${CLEAR_LINE}\n`) + CLEAR_BELOW;

function sentence(error: unknown): string {
  if (error instanceof OperatorError) return `${plain(error.message)}\n${plain(error.hint ?? '')}\n`;
  throw error;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
