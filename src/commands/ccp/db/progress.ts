import type { LogFile } from '../../shared/log-files.ts';

export interface ByteProgress extends AsyncDisposable {
  /** The same files, counted as they are read. */
  watch(files: readonly LogFile[]): LogFile[];
  /** Counts what is read in another way. */
  add(bytes: number): void;
  /** Clears the screen of it. */
  end(): Promise<void>;
}

const BAR = 30;

/** A bar of the bytes read, on a terminal that can show one; nothing elsewhere. `total` in bytes. */
export async function byteProgress(
  live: NodeJS.WriteStream | null,
  title: string,
  total: number,
): Promise<ByteProgress> {
  let read = 0;
  const add = (bytes: number): void => void (read += bytes);
  const watch: ByteProgress['watch'] = (files) =>
    files.map(({ name, chunks }) => ({ name, chunks: counted(chunks, add) }));
  if (live === null) return { watch, add, end: async () => {}, [Symbol.asyncDispose]: async () => {} };

  const { DefaultRenderer, Listr, ListrLogger, ProcessOutput } = await import('listr2');
  /** Listr asks standard output whether it is a terminal; this bar lives on another stream. */
  class LiveRenderer extends DefaultRenderer {
    static override nonTTY = true;
  }
  const { promise: over, resolve: stop } = Promise.withResolvers<void>();
  const drawn = new Listr(
    [
      {
        title: bar(title, 0),
        task: async (_, task) => {
          const timer = setInterval(() => {
            task.title = bar(title, Math.min(1, read / Math.max(1, total)));
          }, 100);
          await over;
          clearInterval(timer);
        },
      },
    ],
    {
      registerSignalListeners: false,
      renderer: LiveRenderer,
      rendererOptions: {
        logger: new ListrLogger({
          useIcons: true,
          toStderr: [],
          processOutput: new ProcessOutput(live, live),
        }),
        clearOutput: true,
      },
    },
  ).run();
  const end = async (): Promise<void> => {
    stop();
    await drawn;
  };
  return { watch, add, end, [Symbol.asyncDispose]: end };
}

async function* counted(
  chunks: LogFile['chunks'],
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of chunks) {
    yield chunk;
    count(chunk.length);
  }
}

function bar(title: string, share: number): string {
  const full = Math.round(share * BAR);
  return `${title} ${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${String(Math.floor(share * 100)).padStart(3)} %`;
}
