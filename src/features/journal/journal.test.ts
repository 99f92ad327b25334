import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { type CompletionEvent, type DecisionEvent, usageEventSchema } from '../../protocol/usage-event.ts';
import { createJournal, type Journal } from './journal.ts';

const shared = { v: 1, ts: '2026-01-02T03:04:05.678Z', rid: '0123456789abcdef' } as const;
const decided: DecisionEvent = {
  ...shared,
  event: 'decision',
  lane: 'zai',
  provider: 'zai',
  model: 'claude-haiku-4-5',
  op: 'stream',
  decision: 'to_zai',
  alternatives: ['anth'],
};
const completed: CompletionEvent = {
  ...shared,
  event: 'completion',
  lane: 'zai',
  provider: 'zai',
  upstream: 'https://api.z.ai',
  method: 'POST',
  path: '/v1/messages',
  model: 'claude-haiku-4-5',
  op: 'stream',
  decision: 'to_zai',
  reason: 'ok',
  status: 200,
  latency_ms: 12.5,
  attempts: [{ provider: 'zai', status: 200, ms: 12.5 }],
  bytes_in: 1,
  bytes_out: 2,
};

let logsDir: string;
let opened: Journal | null;
let warnings: string[];
let children: ChildProcess[];

beforeEach(() => {
  logsDir = mkdtempSync(join(tmpdir(), 'ccp-journal-'));
  opened = null;
  warnings = [];
  children = [];
});

afterEach(() => {
  opened?.close();
  for (const child of children) child.kill('SIGKILL');
  rmSync(logsDir, { recursive: true, force: true });
});

function open(dir = logsDir): Journal {
  const log = { info() {}, error() {}, warn: (message: string) => void warnings.push(message) };
  opened = createJournal({ logsDir: dir, maxBytes: 1e6, maxAgeMs: 1e9, clock: systemClock, log });
  return opened;
}

const read = (name: string): string => readFileSync(join(logsDir, name), 'utf8');
const parse = (text: string): unknown[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line): unknown => JSON.parse(line));

describe('the journal', () => {
  it('writes what is under way within moments, and a completion with its turn of the event loop', async () => {
    const journal = open();
    journal.onDecision?.(decided);
    await vi.waitFor(() => expect(parse(read('usage.jsonl'))).toEqual([decided]));
    journal.onStreamStart?.({
      ...shared,
      event: 'stream_start',
      lane: 'zai',
      provider: 'zai',
      model: null,
      reason: 'streaming',
      ttfb_ms: 3,
    });
    journal.onCompletion?.(completed);
    await nextTurn();
    const events = parse(read('usage.jsonl')).map((event) => usageEventSchema.parse(event).event);
    expect(events).toEqual(['decision', 'stream_start', 'completion']);
  });

  it('keeps a line one line, whatever a client puts into a model name', () => {
    const model = 'a\nb\r\u0000\u001b[31m"\\\u2028\u{1F600}\ud800';
    open().onDecision?.({ ...decided, model });
    opened?.close();
    expect(read('usage.jsonl').match(/\n/g)).toHaveLength(1);
    expect(parse(read('usage.jsonl'))).toEqual([{ ...decided, model }]);
  });

  it('names anomalies in a file of their own, made with the first', () => {
    const journal = open();
    expect(readdirSync(logsDir)).toEqual(['usage.jsonl']);
    const anomaly = { ...shared, lane: 'zai', kind: 'truncated', detail: 'cut' } as const;
    journal.onAnomaly?.(anomaly);
    expect(parse(read('anomalies.jsonl'))).toEqual([anomaly]);
    expect(statSync(join(logsDir, 'anomalies.jsonl')).mode & 0o777).toBe(0o600);
  });

  it('rotates both logs on demand and names the new file', () => {
    const journal = open();
    expect(journal.rotate()).toEqual({ rotatedTo: null });
    journal.onCompletion?.(completed);
    journal.onAnomaly?.({ ...shared, lane: 'zai', kind: 'truncated', detail: 'cut' });
    expect(journal.rotate()).toEqual({ rotatedTo: join(logsDir, 'usage.jsonl.1') });
    expect(readdirSync(logsDir).toSorted()).toEqual([
      'anomalies.jsonl',
      'anomalies.jsonl.1',
      'usage.jsonl',
      'usage.jsonl.1',
    ]);
  });

  it('says at the start that it cannot write, and goes on without', () => {
    const journal = open('/dev/null/logs');
    expect(warnings).toEqual([
      expect.stringMatching(/^usage\.jsonl cannot be opened: ENOTDIR.+'\. Its lines .+ CCP_LOGS_DIR\.$/),
    ]);
    journal.onCompletion?.(completed);
    expect(journal.rotate()).toEqual({ rotatedTo: null });
    expect(journal.partials.write('0123456789abcdef', [Buffer.from('x')])).toBe(false);
  });
});

describe('processes that share a folder', () => {
  it('write whole lines only and lose none while both rotate', async () => {
    const lines = 300;
    // A line is less than 200 bytes: with five copies, this limit never makes the oldest one drop. The pauses
    // add up to long enough for each to find that the other has rotated.
    const limits = { lines, everyMs: 60, maxBytes: (2 * lines * 200) / 6, padding: 150 };
    const writers = ['a', 'b'].map((name) => startWriter({ ...limits, name }));
    expect(await Promise.all(writers.map(exitCode))).toEqual([0, 0]);
    const logs = readdirSync(logsDir).filter((name) => name.startsWith('usage.jsonl'));
    expect(logs.length).toBeGreaterThanOrEqual(3);
    const seen = logs.flatMap((name) => parse(read(name))).map((line) => JSON.stringify(line));
    expect(seen).toHaveLength(2 * lines);
    expect(new Set(seen).size).toBe(2 * lines);
  });
});

describe('a writer', () => {
  it('that is killed leaves every finished line, and at most the last one torn: twenty times over', async () => {
    for (let kill = 0; kill < 20; kill += 1) {
      const dir = join(logsDir, String(kill));
      const writer = startWriter({ dir, lines: 1e9, padding: 5_000 });
      const finished = await killAfter(writer, kill);
      const lines = parse(readFileSync(join(dir, 'usage.jsonl'), 'utf8'));
      expect(finished).toBeGreaterThan(0);
      expect(lines.length).toBeGreaterThanOrEqual(finished);
    }
  });

  it('whose disk fills up goes on, says so once, and starts on a new line once there is room', async () => {
    const writer = startWriter({ lines: 500, padding: 100, fileBlocks: 8 });
    const said: string[] = [];
    writer.stderr?.on('data', (text) => said.push(String(text)));
    expect(await exitCode(writer)).toBe(0);
    expect(said.join('').match(/a line of usage\.jsonl was lost: EFBIG/g)).toHaveLength(1);
    const { size } = statSync(join(logsDir, 'usage.jsonl'));
    expect(size % 512).toBe(0);
    open().onCompletion?.(completed);
    opened?.close();
    const [last, torn, ...whole] = read('usage.jsonl').trimEnd().split('\n').toReversed();
    expect(JSON.parse(last ?? '')).toEqual(completed);
    expect(() => JSON.parse(torn ?? '')).toThrow(SyntaxError);
    expect(parse(`${whole.join('\n')}\n`).length).toBeGreaterThan(10);
  });
});

interface WriterOptions {
  readonly dir?: string;
  readonly name?: string;
  readonly lines: number;
  /** Pause after each tenth line. */
  readonly everyMs?: number;
  readonly maxBytes?: number;
  /** Characters that make a line longer. */
  readonly padding: number;
  /** No file may grow beyond this many blocks (of 512 or 1024 bytes: shells differ). */
  readonly fileBlocks?: number;
}

/** A process that writes lines and says on its standard output how many are finished. */
const WRITER = `
  import { writeSync } from 'node:fs';
  import { setImmediate as nextTurn } from 'node:timers/promises';
  const { modules, dir, name, lines, everyMs, maxBytes, padding } = JSON.parse(process.argv[1]);
  const { createJournal } = await import(modules.journal);
  const { systemClock: clock } = await import(modules.clock);
  const { createLog } = await import(modules.log);
  const journal = createJournal({ logsDir: dir, maxBytes, maxAgeMs: 1e9, clock, log: createLog('writer') });
  for (let n = 1; n <= lines; n += 1) {
    journal.onCompletion({ name, n, padding: 'x'.repeat(padding) });
    await nextTurn();
    writeSync(1, n + ' ');
    if (n % 10 === 0 && everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
`;
const modules = {
  journal: new URL('./journal.ts', import.meta.url).href,
  clock: new URL('../../platform/clock.ts', import.meta.url).href,
  log: new URL('../../platform/log.ts', import.meta.url).href,
};

function startWriter({ fileBlocks, ...options }: WriterOptions): ChildProcess {
  const given = { modules, dir: logsDir, name: 'writer', everyMs: 0, maxBytes: 1e9, ...options };
  const limit = fileBlocks === undefined ? '' : `ulimit -f ${fileBlocks}; `;
  const node = [process.execPath, '--input-type=module', '-e', WRITER, JSON.stringify(given)];
  const child = spawn('/bin/sh', ['-c', `${limit}exec "$@"`, 'sh', ...node], { env: {} });
  children.push(child);
  child.stdout.resume();
  return child;
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  await once(child, 'close');
  return child.exitCode;
}

/** Kills a writer some milliseconds after its first lines; gives how many it had finished. */
async function killAfter(writer: ChildProcess, ms: number): Promise<number> {
  let said = '';
  writer.stdout?.on('data', (text) => {
    if (said === '') setTimeout(() => writer.kill('SIGKILL'), ms);
    said += String(text);
  });
  await once(writer, 'close');
  // The last number may be cut.
  return said.split(' ').length - 1;
}
