import { expect, it } from 'vitest';
import { greenRun } from './testing/green-run.ts';
import { problemOfLine } from './usage-line.ts';

const { events } = greenRun().usage;
const completion = { ...events.find(({ event }) => event === 'completion') };

it('accepts every line of a green run', () => {
  expect(events.map(problemOfLine).filter((problem) => problem !== undefined)).toEqual([]);
});

it('finds every required key missing, in every kind of line', () => {
  const optional =
    /^(served_model|err_type|ttfb_ms|h2|header_mode|tokens|sse|client.*|upstream_request_id|profile)$/;
  const kinds = new Map(events.map((event) => [event.event, event]));
  expect([...kinds.keys()].toSorted()).toEqual(['completion', 'decision', 'stream_start']);
  for (const [kind, event] of kinds) {
    for (const key of Object.keys(event)) {
      if (kind === 'completion' && optional.test(key)) continue;
      const { [key]: _left, ...rest } = { ...event } as Record<string, unknown>;
      expect(problemOfLine(rest), `${kind} without ${key}`).toBeDefined();
    }
  }
});

it.each([
  ['v', 2],
  ['ts', '2026-01-02T03:04:05Z'],
  ['ts', '2026-13-02T03:04:05.000Z'],
  ['rid', ''],
  ['op', 'batch'],
  ['decision', 'to_'],
  ['decision', 'because'],
  ['reason', 'done'],
  ['err_type', 'odd'],
  ['status', '200'],
  ['latency_ms', -1],
  ['bytes_in', 1.5],
  ['h2', 'yes'],
  ['attempts', [{ provider: 'zai', ms: 1, extra: 1 }]],
  ['tokens', { input: 1 }],
  ['sse', []],
  ['prompt', 'never'],
])('rejects %s: %j', (key, value) => {
  const problem = problemOfLine({ ...completion, [key]: value });
  expect(problem).toMatch(new RegExp(`^${key}: `));
});

it('rejects what is no line at all', () => {
  expect([null, 3, [], {}, { event: 'x' }].map(problemOfLine).every((problem) => problem !== undefined)).toBe(
    true,
  );
});
