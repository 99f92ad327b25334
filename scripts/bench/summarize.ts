/**
 * What the analyzer costs over a bare reader: a log of a million lines, read by each contestant in a child
 * process of its own, interleaved. The command is measured whole, from its start to its end. `node scripts/bench/summarize.ts [LINES] [REPETITIONS]`; without a log of your own
 * one is made in a temporary folder and removed again.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { summarize } from '../../src/analysis/summarize.ts';
import { readFileBlocks } from '../../src/platform/file-blocks.ts';

const OURS = 'summarize';
const COMMAND = 'ccp-uat summarize FILE';
const BIN = fileURLToPath(new URL('../../bin/ccp-uat.js', import.meta.url));

/** Each reads the file and returns how many lines it saw. */
const READERS: Readonly<Record<string, (path: string) => Promise<number>>> = {
  'blocks + JSON.parse': readBlocks,
  'readline + JSON.parse': readByReadline,
  [OURS]: async (path) => (await summarize([{ name: path, chunks: readFileBlocks(path) }])).lines,
};

const CONTESTANTS = [...Object.keys(READERS), COMMAND];

/** As little as a reader can do: no damaged lines, no other line ends, no limits. */
async function readBlocks(path: string): Promise<number> {
  let lines = 0;
  let tail = Buffer.alloc(0);
  for await (const block of createReadStream(path)) {
    const bytes = Buffer.concat([tail, block]);
    const end = bytes.lastIndexOf(0x0a);
    const text = bytes.toString('utf8', 0, end + 1);
    for (let start = 0; start < text.length; lines += 1) {
      const next = text.indexOf('\n', start);
      JSON.parse(text.slice(start, next));
      start = next + 1;
    }
    tail = bytes.subarray(end + 1);
  }
  return lines;
}

async function readByReadline(path: string): Promise<number> {
  let lines = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    JSON.parse(line);
    lines += 1;
  }
  return lines;
}

interface Measured {
  readonly contestant: string;
  readonly lines: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly rssMegabytes: number;
}

/** In the child: one contestant, one reading. */
async function measure(contestant: string, path: string): Promise<Measured> {
  const read = READERS[contestant];
  if (read === undefined) throw new Error(`no contestant ${contestant}`);
  const begin = performance.now();
  const lines = await read(path);
  const seconds = (performance.now() - begin) / 1000;
  return { contestant, lines, seconds, ...resourcesOf(process.resourceUsage()) };
}

/** Reports on the process that it is loaded into, on a channel that the program does not use. */
const GAUGE = `data:text/javascript,${encodeURIComponent(`
  import { writeSync } from 'node:fs';
  process.on('exit', () => writeSync(3, JSON.stringify(process.resourceUsage())));
`)}`;

function measureCommand(path: string): Measured {
  const begin = performance.now();
  const { output, status } = spawnSync(
    process.execPath,
    ['--import', GAUGE, BIN, 'summarize', path, '--json'],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    },
  );
  const seconds = (performance.now() - begin) / 1000;
  const [, said = '', complaint, gauged] = output;
  if (status !== 0) throw new Error(`${COMMAND} failed: ${complaint}`);
  const { lines }: { lines: number } = JSON.parse(said ?? '');
  const usage: NodeJS.ResourceUsage = JSON.parse(gauged ?? '');
  return { contestant: COMMAND, lines, seconds, ...resourcesOf(usage) };
}

const resourcesOf = ({ maxRSS, userCPUTime, systemCPUTime }: NodeJS.ResourceUsage) => ({
  cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
  rssMegabytes: maxRSS / 1024,
});

function measureReader(contestant: string, path: string): Measured {
  const self = fileURLToPath(import.meta.url);
  const { stdout, stderr, status } = spawnSync(process.execPath, [self, '--child', contestant, path], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${contestant} failed: ${stderr}`);
  const measured: Measured = JSON.parse(stdout);
  return measured;
}

/** Three lines an exchange, as the journal writes them: about 350 bytes each on average. */
function writeLog(path: string, lines: number): void {
  const file = openSync(path, 'w');
  try {
    for (let from = 0; from < lines; from += 3_000) {
      const count = Math.min(3_000, lines - from);
      writeSync(file, Array.from({ length: count }, (_, index) => lineAt(from + index)).join(''));
    }
  } finally {
    closeSync(file);
  }
}

function lineAt(index: number): string {
  const exchange = Math.floor(index / 3);
  const isHaiku = exchange % 2 === 0;
  const shared = {
    v: 1,
    ts: new Date(Date.UTC(2026, 0, 1) + exchange * 100).toISOString(),
    rid: exchange.toString(16).padStart(16, '0'),
    lane: isHaiku ? 'zai' : 'anthropic',
    provider: isHaiku ? 'zai' : 'anth',
    model: isHaiku ? 'claude-haiku-4-5-20251001' : `claude-sonnet-${exchange % 7}`,
  };
  const decision = isHaiku ? 'to_zai' : 'to_anthropic';
  const events = [
    { ...shared, event: 'decision', op: 'stream', decision, alternatives: isHaiku ? ['anth'] : [] },
    { ...shared, event: 'stream_start', reason: 'streaming', ttfb_ms: 180 + (exchange % 997) },
    { ...shared, event: 'completion', ...completionAt(exchange, isHaiku), decision },
  ];
  return `${JSON.stringify(events[index % 3])}\n`;
}

function completionAt(exchange: number, isHaiku: boolean) {
  const mode = isHaiku ? { header_mode: 'x-api-key' } : {};
  return {
    upstream: isHaiku ? 'https://api.z.ai' : 'https://api.anthropic.com',
    method: 'POST',
    path: '/v1/messages',
    served_model: isHaiku ? 'glm-4.7' : 'claude-sonnet-5',
    op: 'stream',
    reason: exchange % 50 === 0 ? 'upstream_error' : 'ok',
    status: exchange % 50 === 0 ? 529 : 200,
    ...(exchange % 50 === 0 && { err_type: 'overloaded' }),
    latency_ms: 900 + ((exchange * 7919) % 20_000) / 3,
    ttfb_ms: 180 + (exchange % 997),
    h2: !isHaiku,
    ...mode,
    attempts: [{ provider: isHaiku ? 'zai' : 'anth', status: 200, h2: !isHaiku, ...mode, ms: 1_234.5 }],
    tokens: { input: 14, output: 320, cache_read: 21_000, cache_write_5m: 400, cache_write_1h: 0 },
    sse: { events: 204, chunks: 51, bytes: 31_333, duration_ms: 4_100.25, max_gap_ms: 312.5, finished: true },
    bytes_in: 124_000,
    bytes_out: 31_333,
    client: 'claude-cli/2.1.197',
    upstream_request_id: `req_${exchange}`,
  };
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

function report(measurements: readonly Measured[], bytes: number): string {
  const names = CONTESTANTS;
  const of = (name: string, read: (one: Measured) => number): number =>
    median(measurements.filter(({ contestant }) => contestant === name).map(read));
  const plain = names.filter((name) => name !== OURS && name !== COMMAND);
  const fastest = (read: (one: Measured) => number) => Math.min(...plain.map((name) => of(name, read)));
  const rows = names.map((name) => {
    const [time, cpu] = [({ seconds }: Measured) => seconds, ({ cpuSeconds }: Measured) => cpuSeconds].map(
      (read) => `${of(name, read).toFixed(2)} s | ${(of(name, read) / fastest(read)).toFixed(2)}`,
    );
    return `| ${name} | ${time} | ${cpu} | ${of(name, ({ rssMegabytes }) => rssMegabytes).toFixed(0)} MB |`;
  });
  return [
    `${measurements[0]?.lines} lines, ${(bytes / 1e6).toFixed(0)} MB, medians of ${measurements.length / names.length}; ratios to the fastest plain reader`,
    '',
    '| contestant | time | ratio | CPU | ratio | peak RSS |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function main(lines: number, repetitions: number): void {
  const folder = mkdtempSync(join(tmpdir(), 'ccp-bench-'));
  try {
    const path = join(folder, 'usage.jsonl');
    writeLog(path, lines);
    const rounds = Array.from({ length: repetitions }, () => CONTESTANTS).flat();
    const measurements = rounds.map((contestant) =>
      contestant === COMMAND ? measureCommand(path) : measureReader(contestant, path),
    );
    process.stdout.write(report(measurements, statSync(path).size));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [first, contestant = '', path = ''] = process.argv.slice(2);
if (first === '--child') process.stdout.write(JSON.stringify(await measure(contestant, path)));
else main(Number(first ?? 1_000_000), Number(contestant || 3));
