/**
 * What the analyzer costs over a bare reader: a log of a million lines, read by three contestants in child
 * processes, interleaved. `node scripts/bench/summarize.ts [LINES] [REPETITIONS]`; without a log of your own
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

/** Each reads the file and returns how many lines it saw. */
const CONTESTANTS: Readonly<Record<string, (path: string) => Promise<number>>> = {
  'blocks + JSON.parse': readBlocks,
  'readline + JSON.parse': readByReadline,
  [OURS]: async (path) => (await summarize([{ name: path, chunks: readFileBlocks(path) }])).lines,
};

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
  const read = CONTESTANTS[contestant];
  if (read === undefined) throw new Error(`no contestant ${contestant}`);
  const begin = performance.now();
  const lines = await read(path);
  const seconds = (performance.now() - begin) / 1000;
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  return {
    contestant,
    lines,
    seconds,
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    rssMegabytes: maxRSS / 1024,
  };
}

function measureInChild(contestant: string, path: string): Measured {
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
  const names = Object.keys(CONTESTANTS);
  const of = (name: string, read: (one: Measured) => number): number =>
    median(measurements.filter(({ contestant }) => contestant === name).map(read));
  const plain = names.filter((name) => name !== OURS);
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
    const rounds = Array.from({ length: repetitions }, () => Object.keys(CONTESTANTS)).flat();
    const measurements = rounds.map((contestant) => measureInChild(contestant, path));
    process.stdout.write(report(measurements, statSync(path).size));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [first, contestant = '', path = ''] = process.argv.slice(2);
if (first === '--child') process.stdout.write(JSON.stringify(await measure(contestant, path)));
else main(Number(first ?? 1_000_000), Number(contestant || 3));
