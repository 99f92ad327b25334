/** The command line of the benchmark. */
import { parseArgs } from 'node:util';
import { CONTESTANTS } from './contestants.ts';
import { WORKS } from './work.ts';

export const HELP = `npm run bench -- [options]        what a proxy costs, against a bare node:http pipe
npm run bench -- summarize        what the analyzer costs, against the plainest readers
npm run bench -- store            what a store costs an exchange, against none
npm run bench -- meter            what a store of ten million samples costs, against SQLite alone
npm run bench -- quota            what quotas cost an exchange on the relaying thread

  --contestants A,B   of ${CONTESTANTS.map(({ name }) => name).join(', ')}
  --peers             add the peers that are installed
  --work A,B          of ${WORKS.map(({ name }) => name).join(', ')}
  --concurrency A,B   for json and sse work (1,16,64)
  --reps N            repetitions, interleaved; medians are shown (3)
  --ms N              length of one measurement (2000)
  --streams N         slow streams at once (2000)
  --quick             concurrency 16, 600 ms, 1 repetition, 500 slow streams
  --json              one JSON document on standard output
  --write             put the tables into docs/performance.md
`;

export interface Options {
  readonly contestants: readonly string[] | undefined;
  readonly peers: boolean;
  readonly works: readonly string[] | undefined;
  readonly concurrency: readonly number[];
  readonly reps: number;
  readonly ms: number;
  readonly streams: number;
  readonly json: boolean;
  readonly write: boolean;
  readonly help: boolean;
}

/** The options that a command line asks for, or what is wrong with it. */
export function readOptions(args: readonly string[]): Options | string {
  try {
    return parse(args);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function parse(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      contestants: { type: 'string' },
      work: { type: 'string' },
      concurrency: { type: 'string' },
      reps: { type: 'string' },
      ms: { type: 'string' },
      streams: { type: 'string' },
      peers: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick } = values;
  return {
    contestants: names('--contestants', values.contestants, CONTESTANTS),
    works: names('--work', values.work, WORKS),
    concurrency: (values.concurrency ?? (quick ? '16' : '1,16,64'))
      .split(',')
      .map((text) => bounded('--concurrency', text, 1024)),
    reps: bounded('--reps', values.reps ?? (quick ? '1' : '3'), 20),
    ms: bounded('--ms', values.ms ?? (quick ? '600' : '2000'), 60_000),
    streams: bounded('--streams', values.streams ?? (quick ? '500' : '2000'), 8000),
    peers: values.peers,
    json: values.json,
    write: values.write,
    help: values.help,
  };
}

function names(
  option: string,
  text: string | undefined,
  known: readonly { readonly name: string }[],
): readonly string[] | undefined {
  const wanted = text?.split(',');
  const unknown = wanted?.find((name) => !known.some((entry) => entry.name === name));
  if (unknown === undefined) return wanted;
  throw new Error(`${option}: ${unknown} is none of ${known.map(({ name }) => name).join(', ')}`);
}

function bounded(option: string, text: string, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new Error(`${option}: ${text} is not within 1..${max}`);
  return value;
}
