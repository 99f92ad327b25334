/** What a command may touch of the process it runs in; tests hand in their own. */
import { homedir } from 'node:os';
import { styleText } from 'node:util';
import { EXIT } from '../../errors.ts';

export interface Host {
  readonly env: NodeJS.ProcessEnv;
  /** What was typed after the name of the program, where a command is told. */
  readonly argv?: readonly string[];
  readonly cwd: string;
  readonly home: string;
  /** Data, and nothing else. */
  readonly out: Screen;
  /** Progress, warnings and errors. */
  readonly err: Screen;
  readonly input: Input;
}

/** Standard input. */
export interface Input {
  /** Whether a person types there, who may not know that something is waited for. */
  readonly isTerminal: boolean;
  /** Everything to its end or to the signal, or the first bytes beyond `most` where there is more. */
  read(most: number, signal?: AbortSignal): Promise<Buffer>;
}

export interface Screen {
  write(text: string): void;
  /** Aborted at the first write that nobody reads any more. */
  readonly gone?: AbortSignal;
  /** Whether a person looks at it, and text can be drawn over. */
  readonly isTerminal: boolean;
  /** Columns that a table may take; without end where no person looks: a path that is broken up is no path. */
  readonly width: number;
  /** Lines that a page may take at once; undefined where it has no end. */
  readonly height?: number | undefined;
  /** Colours the text where the screen shows colours. */
  paint(style: Style, text: string): string;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

/** The real process. `NO_COLOR` and `FORCE_COLOR` are respected. */
export function processHost(): Host {
  return {
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    out: streamScreen(process.stdout),
    err: streamScreen(process.stderr),
    input: {
      get isTerminal() {
        return process.stdin.isTTY;
      },
      read: readInput,
    },
  };
}

async function readInput(most: number, signal?: AbortSignal): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  // An open standard input would keep the process alive.
  const stop = (): void => void process.stdin.destroy();
  signal?.addEventListener('abort', stop);
  try {
    for await (const piece of process.stdin) {
      pieces.push(Buffer.from(piece));
      bytes += pieces.at(-1)?.length ?? 0;
      if (bytes > most) break;
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
  return Buffer.concat(pieces);
}

function streamScreen(stream: NodeJS.WriteStream): Screen {
  const gone = new AbortController();
  // The reader of a pipe may leave early (`| head -1`), and a terminal be closed: that ends the output, and is nobody's
  // mistake.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || (error.code === 'EIO' && stream.isTTY)) return gone.abort();
    // Nothing can be said on a device that takes nothing more: the exit code has to.
    process.exit(EXIT.notReady);
  });
  return {
    write: (text) => void stream.write(text),
    gone: gone.signal,
    isTerminal: stream.isTTY,
    // A terminal may be resized while a page is watched.
    get width() {
      return stream.isTTY ? stream.columns : Number.POSITIVE_INFINITY;
    },
    get height() {
      return stream.isTTY ? stream.rows : undefined;
    },
    paint: (style, text) => styleText(style, text, { stream }),
  };
}

/** Prints one JSON document. */
export function printJson({ out }: Host, value: unknown): void {
  out.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Prints warnings, a line each, where they can't be taken for data. */
export function printWarnings({ err }: Host, program: string, warnings: readonly string[]): void {
  for (const warning of warnings)
    err.write(`${program}: ${err.paint('yellow', 'warning')}: ${plain(warning)}\n`);
}

/** Text from files and from the wire without the control characters that could command a terminal. */
export const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, '\u{fffd}');
