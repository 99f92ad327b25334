import { describe, expect, it } from 'vitest';
import { artifactsOf, lifeOf, markerLine, readAnomalies, readUsage } from './records.ts';
import type { RecordedLife } from './types/saboteur.ts';

const line = (rid: string) => `${JSON.stringify({ event: 'completion', rid })}\n`;
const files = (given: Readonly<Record<string, string>>) => new Map(Object.entries(given));
const rids = (given: Readonly<Record<string, string>>) =>
  readUsage(files(given)).events.map(({ rid }) => rid);

describe('the usage log of a run', () => {
  const marker = markerLine(Date.parse('2026-05-02T12:00:00Z'));

  it('was rotated before where the planted line is in an older file', () => {
    expect(marker).toContain('2026-05-01T16:00:00.000Z');
    expect(readUsage(files({ 'usage.jsonl.1': marker, 'usage.jsonl': line('a') })).rotatedBefore).toBe(true);
    expect(readUsage(files({ 'usage.jsonl': marker + line('a') })).rotatedBefore).toBe(false);
    expect(readUsage(files({ 'usage.jsonl': line('a') })).rotatedBefore).toBe(false);
  });

  it('goes over a rotation during the run, oldest line first, and leaves out what was there before', () => {
    const log = {
      'usage.jsonl': line('c'),
      'usage.jsonl.1': line('b'),
      'usage.jsonl.2': line('a'),
      'usage.jsonl.10': marker,
    };
    expect(rids(log)).toEqual(['a', 'b', 'c']);
  });

  it('shows the planted line where it was not rotated away', () => {
    expect(rids({ 'usage.jsonl': marker + line('a') })).toEqual(['planted-before-the-run', 'a']);
  });

  it('names what is no event by its line, and never quotes it', () => {
    const { bad, events } = readUsage(
      files({ 'usage.jsonl': `${line('a')}secret{\n\n[1]\n${line('b').trimEnd()}` }),
    );
    expect(events).toHaveLength(2);
    expect(bad).toEqual([
      { file: 'usage.jsonl', line: 2, problem: 'not valid JSON' },
      { file: 'usage.jsonl', line: 4, problem: 'JSON, but not an event' },
    ]);
  });

  it('counts the lines of each of its files by themselves, also where one breaks off', () => {
    const { bad, events } = readUsage(
      files({ 'usage.jsonl.1': `${line('a')}torn{`, 'usage.jsonl': `${line('b')}torn too{\n` }),
    );
    expect(events.map(({ rid }) => rid)).toEqual(['a', 'b']);
    expect(bad).toEqual([
      { file: 'usage.jsonl.1', line: 2, problem: 'not valid JSON' },
      { file: 'usage.jsonl', line: 2, problem: 'not valid JSON' },
    ]);
  });

  it('is empty where there is none', () => {
    expect(readUsage(new Map())).toEqual({ events: [], bad: [], rotatedBefore: false });
    expect(readAnomalies(new Map())).toEqual([]);
  });
});

describe('the artifacts of a target', () => {
  const life = (output: string, license: object | null): RecordedLife => ({
    stage: output,
    startedAt: 0,
    pid: 1,
    license: { kind: 'env', expected: null },
    quota: null,
    answers: {
      readyz: { status: 200, body: { ok: true } },
      providers: [],
      metrics: 'm 1\n',
      license,
      meter: null,
      beneath: null,
    },
    output,
    ending: null,
  });

  it('are its files, and the output and answers of all its lives, each under its place', () => {
    const lives = [life('a\n', null), life('b\n', { plan: 'trial' })];
    expect(artifactsOf({ files: files({ 'partials/x.partial': 'p' }), lives })).toEqual([
      { place: 'partials/x.partial', text: 'p' },
      { place: 'proxy.log', text: 'a\nb\n' },
      { place: 'metrics', text: 'm 1\n\nm 1\n' },
      { place: 'readyz', text: '{"ok":true}\n{"ok":true}' },
      { place: 'providers', text: '[]\n[]' },
      { place: 'license', text: '{"plan":"trial"}' },
    ]);
  });

  it('hold the lines of each life that speak of its licence', () => {
    const first = lifeOf(life('ccp: [license] plan=trial\nccp: listening\n', null));
    expect(first.licenseLines).toEqual(['ccp: [license] plan=trial']);
    expect(first).not.toHaveProperty('output');
  });
});
