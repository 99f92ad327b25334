import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duration } from '../../../analysis/duration.ts';
import { greenRun } from '../../../analysis/testing/green-run.ts';
import { linearAxis, logAxis } from './axis.ts';
import { type Case, caseFileOf } from './case-file.ts';
import { chooseCases, MOST_IN_FULL, SAMPLE } from './choose-cases.ts';
import { findingsOf } from './findings.ts';
import { shown } from './format.ts';
import { isEqual, pairEvents } from './stream-events.ts';

describe('axes', () => {
  it('keep every value in the drawing and their ticks in order', () => {
    const room = { from: 40, to: 400 };
    const value = fc.double({ min: 0.001, max: 1e7, noNaN: true });
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [least, most] = [Math.min(a, b), Math.max(a, b)];
        for (const axis of [linearAxis(most, room), logAxis(least, most, room)]) {
          expect([axis.at(least), axis.at(most)].every((at) => at >= 40 && at <= 400)).toBe(true);
          expect(axis.at(least)).toBeLessThanOrEqual(axis.at(most));
          expect(axis.ticks.length).toBeGreaterThan(1);
          expect(axis.ticks).toEqual(axis.ticks.toSorted((x, y) => x - y));
        }
      }),
    );
  });

  it('stand where there is nothing to measure', () => {
    expect(linearAxis(0, { from: 0, to: 10 }).at(0)).toBe(0);
    expect(linearAxis(Number.NaN, { from: 0, to: 10 }).ticks.length).toBeGreaterThan(1);
  });
});

describe('events side by side', () => {
  const events = fc
    .array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 })
    .map((types) => types.map((type) => ({ type, data: type, at: null })));

  it('are all there once, in the order of both sides', () => {
    fc.assert(
      fc.property(events, events, (sent, got) => {
        const pairs = pairEvents(sent, got);
        expect(pairs.flatMap((pair) => pair.sent ?? [])).toEqual(sent);
        expect(pairs.flatMap((pair) => pair.got ?? [])).toEqual(got);
        for (const pair of pairs)
          if (pair.sent !== null && pair.got !== null) expect(isEqual(pair)).toBe(true);
      }),
    );
  });

  it('show one that was dropped as one line', () => {
    fc.assert(
      fc.property(
        events.filter(({ length }) => length > 0),
        fc.nat(),
        (sent, at) => {
          const got = sent.toSpliced(at % sent.length, 1);
          expect(pairEvents(sent, got).filter((pair) => !isEqual(pair))).toHaveLength(1);
        },
      ),
    );
  });
});

describe('the choice of exchanges', () => {
  const [model] = caseFileOf(greenRun(), []).cases;
  const problem = { check: 'ODD-01', violation: { what: 'odd', pointers: [] } };
  const some = (wrong: number, sound: number): Case[] =>
    Array.from({ length: wrong + sound }, (_, index) => {
      if (model === undefined) throw new Error('the green run has no exchange');
      return { ...model, number: index + 1, problems: index < wrong ? [problem] : [] };
    });

  it('loses none that something is wrong with, keeps to its bound, and counts what it leaves out', () => {
    fc.assert(
      fc.property(fc.nat({ max: 400 }), fc.nat({ max: 400 }), (wrong, sound) => {
        const { inFull, inBrief, left } = chooseCases(some(wrong, sound));
        expect(inFull.length).toBeLessThanOrEqual(MOST_IN_FULL);
        expect([...inFull, ...inBrief].filter(({ problems }) => problems.length > 0)).toHaveLength(wrong);
        expect(inFull.filter(({ problems }) => problems.length === 0)).toHaveLength(Math.min(SAMPLE, sound));
        expect(inFull.length + inBrief.length + left).toBe(wrong + sound);
      }),
    );
  });

  it('keeps one of each kind of failure before a second of any', () => {
    const rare = { ...problem, check: 'RARE-01' };
    const cases = some(400, 0).map((one) => (one.number === 400 ? { ...one, problems: [rare] } : one));
    expect(chooseCases(cases).inFull.map(({ number }) => number)).toContain(400);
  });
});

describe('findings', () => {
  it('put alike violations together and tell what their exchanges share', () => {
    const evidence = greenRun();
    const about = (id: string, n: number) => ({
      what: `event ${n} is odd`,
      expected: String(n),
      pointers: [`client:${id}`],
    });
    const verdict = {
      id: 'ODD-01',
      title: 'Nothing is odd',
      outcome: 'fail' as const,
      observed: 2,
      violations: [
        about('c-haiku-stream', 4),
        about('c-haiku-stream', 6),
        { what: 'it is something else', pointers: ['usage.jsonl:7'] },
      ],
    };
    const file = caseFileOf(evidence, [verdict]);
    const [first, second] = findingsOf(verdict, file);
    expect(first).toMatchObject({ what: 'event 4 is odd', count: 2, examples: [{ expected: '4' }] });
    expect(first?.cases.map(({ client }) => client?.id)).toEqual(['c-haiku-stream']);
    expect(second).toMatchObject({ what: 'it is something else', count: 1, cases: [] });
    expect(file.cases.filter(({ problems }) => problems.length > 0)).toHaveLength(1);
  });

  it('give a request that nobody sent, and a record of nothing, a case of their own', () => {
    const evidence = greenRun((run) => {
      const first = run.upstream.find(({ request }) => request.method === 'POST');
      if (first !== undefined)
        run.upstream.push({
          ...structuredClone(first),
          id: 'stray',
          requestId: 'stray',
          startedAt: first.startedAt + 900_000,
        });
      const [event] = run.usage.events;
      if (event !== undefined) run.usage.events.push({ ...event, rid: 'nobody' });
    });
    const names = caseFileOf(evidence, [])
      .cases.filter(({ client }) => client === undefined)
      .map(({ name }) => name);
    expect(names).toEqual([
      expect.stringContaining('a record without a request'),
      expect.stringContaining('which no client sent'),
    ]);
  });
});

describe('figures and texts', () => {
  it('have the unit that fits', () => {
    expect([0.25, 7.4, 703, 1_300, 125_000, Number.NaN].map(duration)).toEqual([
      '0.3 ms',
      '7.4 ms',
      '703 ms',
      '1.30 s',
      '2.1 min',
      '–',
    ]);
  });

  it('are cut with a word about it, and never through a secret', () => {
    expect(shown('x'.repeat(20), 5)).toBe('xxxxx… (15 characters more)');
    const key = `sk-ant-api03-${'Zz9'.repeat(31)}AA`;
    for (let before = 0; before < 40; before += 1)
      expect(shown(`${'x '.repeat(before)}${key}`, 40)).not.toMatch(/Zz9/);
  });
});
