import { describe, expect, it } from 'vitest';
import type { JsonObject } from './json.ts';
import { MAX_LINE_BYTES, readLog } from './log-reader.ts';

const source = (name: string, text: string) => ({ name, chunks: [Buffer.from(text)] });

async function read(chunks: readonly (string | Uint8Array)[]) {
  const records: { record: JsonObject; line: number }[] = [];
  const bytes = chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
  const reading = await readLog([{ name: 'log', chunks: bytes }], (record, _source, line) =>
    records.push({ record, line }),
  );
  return { records, reading };
}

describe('readLog', () => {
  it('gives each line with its number, wherever the chunks are cut', async () => {
    const text = '{"a":"é"}\r\n\n{"a":2}\n{"a":"日本"}\n';
    const whole = Buffer.from(text);
    for (let cut = 0; cut <= whole.length; cut += 1) {
      const { records, reading } = await read([whole.subarray(0, cut), whole.subarray(cut)]);
      expect(records).toEqual([
        { record: { a: 'é' }, line: 1 },
        { record: { a: 2 }, line: 3 },
        { record: { a: '日本' }, line: 4 },
      ]);
      expect(reading).toEqual({ lines: 3, bad: { count: 0, examples: [] } });
    }
  });

  it('reads the same when every byte is a chunk of its own and the source reuses its buffer', async () => {
    const shared = Buffer.alloc(1);
    function* bytes() {
      for (const byte of Buffer.from('{"a":1}\n{"a":2}')) {
        shared[0] = byte;
        yield shared;
      }
    }
    const seen: unknown[] = [];
    await readLog([{ name: '-', chunks: bytes() }], (record) => seen.push(record['a']));
    expect(seen).toEqual([1, 2]);
  });

  it('counts and names bad lines, never shows them, and goes on', async () => {
    const { records, reading } = await read([
      '{"a":1}\nsk-ant-secret\n[1]\n',
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d, 0x0a]),
      '{"a":2}\n{"a":3',
    ]);
    expect(records.map(({ record }) => record['a'])).toEqual([1, 2]);
    expect(reading.lines).toBe(6);
    expect(reading.bad).toEqual({
      count: 4,
      examples: [
        { source: 'log', line: 2, problem: 'not valid JSON' },
        { source: 'log', line: 3, problem: 'JSON, but not an object' },
        { source: 'log', line: 4, problem: 'not UTF-8' },
        { source: 'log', line: 6, problem: 'not valid JSON' },
      ],
    });
    expect(JSON.stringify(reading)).not.toContain('secret');
  });

  it('takes a last line without a newline when it is whole', async () => {
    expect((await read(['{"a":1}'])).records).toEqual([{ record: { a: 1 }, line: 1 }]);
  });

  it('passes over a byte order mark', async () => {
    expect((await read(['\uFEFF{"a":1}\n'])).records).toHaveLength(1);
  });

  it('keeps at most twenty examples and counts the rest', async () => {
    const { reading } = await read(['x\n'.repeat(1000)]);
    expect(reading.bad.count).toBe(1000);
    expect(reading.bad.examples).toHaveLength(20);
  });

  it('drops a line longer than 1 MiB as it comes and reads on after it', async () => {
    const piece = Buffer.alloc(700_000, 0x78);
    const { records, reading } = await read(['{"a":1}\n', piece, piece, '\n{"a":2}\n']);
    expect(records).toEqual([
      { record: { a: 1 }, line: 1 },
      { record: { a: 2 }, line: 3 },
    ]);
    expect(reading.bad.examples).toEqual([{ source: 'log', line: 2, problem: 'longer than 1 MiB' }]);
  });

  it('takes a line of exactly 1 MiB', async () => {
    const line = `{"a":"${'x'.repeat(MAX_LINE_BYTES - 8)}"}`;
    expect((await read([`${line}\n`])).records).toHaveLength(1);
  });

  it('reads several sources as one log and names them apart', async () => {
    const lines: string[] = [];
    const reading = await readLog([source('u.1', '{}\nbad'), source('u', '{}\n')], (_record, name, line) =>
      lines.push(`${name}:${line}`),
    );
    expect(lines).toEqual(['u.1:1', 'u:1']);
    expect(reading.bad.examples[0]).toMatchObject({ source: 'u.1', line: 2 });
  });
});
