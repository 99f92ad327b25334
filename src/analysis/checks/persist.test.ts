import { describe, expect, it } from 'vitest';
import type { Evidence } from '../evidence.ts';
import { budgetRun } from '../testing/budget-run.ts';
import { type Mutable, verdictOf } from '../testing/green-run.ts';

type Alter = (evidence: Mutable<Evidence>) => unknown;

const judged = (id: string, alter?: Alter) => verdictOf(id, undefined, budgetRun(alter));
const whatOf = (id: string, alter: Alter) => judged(id, alter).violations.map(({ what }) => what);

const IDS = [1, 2, 3, 4, 5, 6].map((number) => `PERSIST-0${number}`);

describe('PERSIST-*', () => {
  const crashIn = ({ crashes: [crash] }: Mutable<Evidence>) => {
    if (crash === undefined) throw new Error('the run killed nothing');
    return crash;
  };

  it('hold where a kill cost no more than it may', () => {
    for (const id of IDS) expect(judged(id).outcome).toBe('pass');
    expect(judged('PERSIST-04').note).toBe(
      'the last life: 90 MB, 40 open files; 0.2 MB and 0.0 files a minute',
    );
  });

  it.each<[string, string, Alter, string]>([
    [
      'PERSIST-01',
      'a row is missing that had had time enough',
      (run) => Object.assign(crashIn(run).missing[0] ?? {}, { ts: crashIn(run).killedAt - 301 }),
      'kill 1: 1 rows are missing that had had time enough',
    ],
    [
      'PERSIST-01',
      'the file is damaged',
      (run) => (crashIn(run).integrity = 'row 3 missing from index'),
      'kill 1: the store is damaged',
    ],
    [
      'PERSIST-01',
      'the file cannot be opened',
      (run) => (crashIn(run).integrity = null),
      'kill 1: the store is damaged',
    ],
    [
      'PERSIST-01',
      'an exchange is counted twice',
      (run) => crashIn(run).doubled.push('first'),
      'kill 1: the store counts twice: first',
    ],
    [
      'PERSIST-02',
      'the log does not know of an answer',
      (run) => crashIn(run).unlogged.push('soak-7'),
      'kill 1: the log does not know of an answer that a client had',
    ],
    [
      'PERSIST-03',
      'the quota begins from nothing',
      (run) => Object.assign(crashIn(run), { rebuilt: { said: 0, counted: 2 } }),
      'kill 1: the quota was not rebuilt',
    ],
    [
      'PERSIST-03',
      'nothing is said of the quota',
      (run) => Object.assign(crashIn(run), { rebuilt: { said: null, counted: 2 } }),
      'kill 1: the quota was not rebuilt',
    ],
    [
      'PERSIST-04',
      'nothing could be read',
      (run) => (crashIn(run).slopes = null),
      'kill 1: memory and open files could not be read',
    ],
    [
      'PERSIST-04',
      'memory climbs',
      (run) => Object.assign(crashIn(run).slopes ?? {}, { rssMbPerMinute: 6 }),
      'kill 1: it climbs: 90 MB, 40 open files; 6.0 MB and 0.0 files a minute',
    ],
    [
      'PERSIST-05',
      'a client was answered with an error',
      (run) => crashIn(run).load?.bad.push({ id: 'soak-7', what: 'status 500' }),
      'kill 1: an answer was none: status 500',
    ],
    [
      'PERSIST-06',
      'the command line finds damage',
      (run) => (crashIn(run).shell = { said: '*** in database main ***' }),
      'kill 1: sqlite3 found the store damaged',
    ],
    [
      'PERSIST-06',
      'the command line says nothing',
      (run) => (crashIn(run).shell = { said: '' }),
      'kill 1: sqlite3 found the store damaged',
    ],
  ])('%s fails where %s', (id, _name, alter, what) => {
    expect(judged(id, alter).outcome).toBe('fail');
    expect(whatOf(id, alter)).toEqual([what]);
  });

  it('say why the command line was not asked', () => {
    const none: Alter = (run) => (crashIn(run).shell = { missing: 'there is none' });
    expect(judged('PERSIST-06', none)).toMatchObject({ outcome: 'skipped', note: 'there is none' });
  });

  it('forgive what a flush and its commit take, and no more', () => {
    const young: Alter = (run) =>
      Object.assign(crashIn(run).missing[0] ?? {}, { ts: crashIn(run).killedAt - 300 });
    expect(judged('PERSIST-01', young).outcome).toBe('pass');
  });

  it('do not blame a kill for what an earlier one took', () => {
    const twice: Alter = (run) => {
      const later = structuredClone(crashIn(run));
      later.killedAt += 5_000;
      run.crashes.push(later);
    };
    expect(judged('PERSIST-01', twice).outcome).toBe('pass');
  });

  it('say of a short life only that it grew out of all proportion', () => {
    // What a second of warming up may bring, and what a leak with each exchange does.
    const short =
      (taken: object): Alter =>
      (run) =>
        Object.assign(crashIn(run).slopes ?? {}, { ms: 1_000, ...taken });
    const warm = { rssMbPerMinute: 600, filesPerMinute: 120 };
    expect(judged('PERSIST-04', short(warm))).toMatchObject({
      outcome: 'pass',
      note: 'the last life: 90 MB, 40 open files; 10.0 MB and 2.0 files in 1.0 s, too short for a slope',
    });
    for (const leak of [{ rssMbPerMinute: 2_460 }, { filesPerMinute: 2_460 }])
      expect(judged('PERSIST-04', short({ ...warm, ...leak })).outcome).toBe('fail');
  });

  it('are inconclusive where any of the kills was not amid load', () => {
    const dead: Alter = (run) => {
      const second = structuredClone(crashIn(run));
      Object.assign(second.load ?? {}, { answered: 2 });
      run.crashes.push(second);
    };
    for (const id of IDS) {
      const { outcome, note } = judged(id, dead);
      expect(outcome).toBe('inconclusive');
      expect(note).toContain('before kill 2 clients had 2 answers, and 3 make a load');
    }
    expect(judged('PERSIST-01', (run) => (crashIn(run).load = null)).outcome).toBe('inconclusive');
  });

  it('take a kill after the load for what it is', () => {
    const after: Alter = (run) =>
      run.crashes.push({ ...structuredClone(crashIn(run)), load: null, acknowledged: 0 });
    for (const id of IDS) expect(judged(id, after).outcome).toBe('pass');
  });
});
