import { describe, expect, it } from 'vitest';
import type { Night, RoundAccount } from '../evidence.ts';
import { judgeAll } from '../judge.ts';
import { greenNight } from '../testing/green-night.ts';
import { greenRun, type Mutable } from '../testing/green-run.ts';
import { NIGHT_CHECKS } from './night.ts';

const BRIEF = { at: 0, rssMb: 100, files: 35, sockets: 5 };

function judge(alter?: (night: Mutable<Night>) => unknown) {
  const verdicts = judgeAll(NIGHT_CHECKS, { ...greenRun(), night: greenNight(alter) });
  return new Map(verdicts.map((verdict) => [verdict.id, verdict]));
}

/** Breaks the second round; gives the ids of the checks that are not satisfied. */
const redAfter = (alter: (round: Mutable<RoundAccount>, night: Mutable<Night>) => unknown): string[] =>
  [
    ...judge((night) => {
      const [, second] = night.rounds;
      if (second === undefined) throw new Error('there are six rounds');
      alter(second, night);
    }).values(),
  ]
    .filter(({ outcome }) => outcome !== 'pass')
    .map(({ id, outcome }) => `${id} ${outcome}`);

it('are satisfied by a night in which all is well', () => {
  for (const { id, outcome, violations } of judge().values())
    expect({ id, outcome, violations }).toEqual({ id, outcome: 'pass', violations: [] });
});

it('say of what the proxy takes how much it grew in a life, how sure that is, and how much it may', () => {
  expect(judge().get('NIGHT-04')?.note).toBe(
    'Memory grew by 0 MB in a life of 1.9 min once warm (95 %: -1.67 to 2.5), and may by 11.79 with 60 exchanges; the median of 32 readings in 2 lives is 162 MB; no life grew for certain',
  );
  expect(judge().get('NIGHT-06')?.note).toContain(
    'Latency grew by 0 ms in the night of 1.9 min (95 %: 0 to 1), and may by 15; the median of 32 readings in 2 protocols is 13 ms; HTTP/2: ',
  );
});

it('do not apply to a run that had no rounds', () => {
  const outcomes = judgeAll(NIGHT_CHECKS, greenRun()).map(({ outcome }) => outcome);
  expect(new Set(outcomes)).toEqual(new Set(['skipped']));
});

it('say nothing of what climbs, or becomes slow, where a night ended as soon as it had begun', () => {
  const brief = judge((night) => {
    night.rounds = night.rounds.slice(0, 1).map((round) => ({ ...round, ms: 30 }));
  });
  const unsure = [...brief.values()].filter(({ outcome }) => outcome === 'inconclusive');
  expect(unsure.map(({ id }) => id)).toEqual(['NIGHT-04', 'NIGHT-05', 'NIGHT-06']);
  expect(brief.get('NIGHT-04')?.note).toContain('needs at least 12 observations, saw 5');
  expect(brief.get('NIGHT-06')?.note).toContain(
    '5 answers of warm processes are too few to compare end and beginning',
  );
});

it('say nothing of a night without a round', () => {
  const outcomes = [...judge((night) => (night.rounds = [])).values()].map(({ outcome }) => outcome);
  expect(new Set(outcomes)).toEqual(new Set(['inconclusive']));
});

describe('a night is red', () => {
  it('where one exchange is not in the log, or not in the store', () => {
    expect(redAfter((round) => (round.witnesses.logged = 19))).toEqual(['NIGHT-01 fail']);
    expect(redAfter((round) => (round.witnesses.stored = 19))).toEqual(['NIGHT-01 fail']);
    // Another program need not keep one.
    expect(redAfter((round) => (round.witnesses.stored = null))).toEqual([]);
  });

  it('where a probe has no exchange, and was not under way at a death', () => {
    expect(
      redAfter(({ witnesses }) => Object.assign(witnesses, { client: 19, logged: 19, stored: 19 })),
    ).toEqual(['NIGHT-01 fail']);
    expect(redAfter((round) => (round.setAside = 1))).toEqual(['NIGHT-01 fail']);
  });

  it('where a round was', () => {
    const red = { id: 'BYTES-01', outcome: 'fail', what: 'a byte differs' };
    expect(redAfter(({ verdict }) => Object.assign(verdict, { outcome: 'fail', red: [red] }))).toEqual([
      'NIGHT-02 fail',
    ]);
    expect(redAfter(({ verdict }) => (verdict.passed = []))).toEqual(['NIGHT-02 fail', 'NIGHT-03 fail']);
  });

  it('where a round is missing', () => {
    expect(redAfter((_round, night) => night.rounds.splice(1, 1))).toEqual(['NIGHT-02 fail']);
  });

  it('where the upstreams saw something else than the log has', () => {
    expect(redAfter((round) => (round.witnesses.upstream = 22))).toEqual(['NIGHT-03 fail']);
    expect(redAfter(({ verdict }) => verdict.passed.pop())).toEqual(['NIGHT-03 fail']);
  });

  it('where what the proxy takes could not be read in one round', () => {
    expect(redAfter((round) => (round.readings = null))).toEqual(['NIGHT-04 fail', 'NIGHT-05 fail']);
    expect(redAfter((round) => (round.readings = []))).toEqual(['NIGHT-04 fail', 'NIGHT-05 fail']);
  });

  const climb = (kind: 'rssMb' | 'files' | 'sockets', perMinute: number) => (night: Mutable<Night>) => {
    for (const { readings } of night.rounds)
      for (const one of readings ?? []) one[kind] += (perMinute * one.at) / 60_000;
  };

  it('where memory climbs beyond noise, and not where it climbs within', () => {
    expect(judge(climb('rssMb', 40)).get('NIGHT-04')?.outcome).toBe('fail');
    expect(judge(climb('rssMb', 2)).get('NIGHT-04')?.outcome).toBe('pass');
  });

  it('where a life of twenty exchanges gains 1.5 MB with each, and one of six hundred may gain that', () => {
    // Ten seconds, in which a process takes thirty megabytes.
    const leaks = (exchanges: number) => (night: Mutable<Night>) => {
      night.rounds.splice(1);
      for (const round of night.rounds) {
        round.witnesses.client = exchanges;
        round.readings = Array.from({ length: 24 }, (_, at) => ({
          ...BRIEF,
          life: '1.1',
          at: at * 400,
          rssMb: 174 + at * 1.25,
        }));
      }
    };
    const { outcome, violations } = judge(leaks(20)).get('NIGHT-04') ?? {};
    expect(outcome).toBe('fail');
    expect(violations?.[0]?.expected).toBe('at most 10.6 MB in a life');
    expect(judge(leaks(600)).get('NIGHT-04')?.outcome).toBe('pass');
    expect(judge(leaks(19)).get('NIGHT-04')?.outcome).toBe('fail');
  });

  it('where no life had twenty exchanges, and nothing leaks: that shows nothing', () => {
    const idle = (night: Mutable<Night>) => {
      for (const { witnesses } of night.rounds) Object.assign(witnesses, { client: 5 });
    };
    const verdict = judge(idle).get('NIGHT-04');
    expect(verdict?.outcome).toBe('inconclusive');
    expect(verdict?.note).toContain('fewer than 20 exchanges in any life show nothing');
  });

  it('shares the exchanges of a round in which the proxy died among its lives', () => {
    const died = (night: Mutable<Night>) => {
      night.rounds.splice(1);
      for (const round of night.rounds) {
        round.witnesses.client = 40;
        round.readings = ['1.1', '1.2'].flatMap((life) =>
          Array.from({ length: 12 }, (_, at) => ({ ...BRIEF, life, at: at * 1000 })),
        );
      }
    };
    expect(judge(died).get('NIGHT-04')?.note).toContain('and may by 10.6 with 20 exchanges');
  });

  it('where memory climbs in one life alone, however many short ones there are beside it', () => {
    const leaks = (night: Mutable<Night>) => {
      const [first, second] = night.rounds;
      if (first === undefined || second === undefined) throw new Error('there are six rounds');
      // Thirty lives of seconds that take a steady 100 MB, and one of three minutes that takes two gigabytes more.
      const lives = Array.from({ length: 30 }, (_, life) =>
        Array.from({ length: 12 }, (_point, at) => ({
          life: `3.${life}`,
          at: at * 500,
          rssMb: 100,
          files: 35,
          sockets: 5,
        })),
      );
      second.readings = [...(second.readings ?? []), ...lives.flat(), { ...BRIEF, life: '4.1' }];
      for (const { leg, readings } of night.rounds)
        for (const one of readings ?? []) if (leg === 1 && one.life === '1.1') one.rssMb += one.at / 90;
    };
    const { outcome, violations, note } = judge(leaks).get('NIGHT-04') ?? {};
    expect(outcome).toBe('fail');
    expect(violations?.[0]?.what).toMatch(/^memory climbs in life 1\.1: by 1\d{3}[.\d]* MB in a life of /);
    expect(note).toMatch(
      /; life 1\.1 grew the most, by 1\d{3}[.\d]* MB or more; 1 life too short for a slope$/,
    );
  });

  it('where open files or sockets climb', () => {
    expect(judge(climb('files', 15)).get('NIGHT-05')?.outcome).toBe('fail');
    expect(judge(climb('sockets', 15)).get('NIGHT-05')?.outcome).toBe('fail');
  });

  it('where nothing can be said of a climb: too noisy, or too few readings', () => {
    const wild = (night: Mutable<Night>) => {
      const levels = [100, 100, 100, 500, 120, 420];
      night.rounds.splice(2);
      for (const round of night.rounds) round.readings = (round.readings ?? []).slice(0, 3);
      for (const one of night.rounds.flatMap(({ readings }) => readings ?? []))
        one.rssMb = levels.shift() ?? 0;
    };
    expect(judge(wild).get('NIGHT-04')?.outcome).toBe('inconclusive');
    const few = (night: Mutable<Night>) => {
      for (const round of night.rounds) round.readings = (round.readings ?? []).slice(0, 1);
    };
    expect(judge(few).get('NIGHT-04')).toMatchObject({ outcome: 'inconclusive' });
    // Files and sockets are read together: that these are two does not make them more.
    const half = (night: Mutable<Night>) => {
      for (const round of night.rounds) round.readings = (round.readings ?? []).slice(0, 2);
    };
    expect(judge(half).get('NIGHT-05')).toMatchObject({ outcome: 'inconclusive', observed: 8 });
  });

  it('where answers come later and later', () => {
    const slower = (night: Mutable<Night>) => {
      for (const { answers } of night.rounds) for (const one of answers) one.ms += one.at / 4_000;
    };
    expect(judge(slower).get('NIGHT-06')?.outcome).toBe('fail');
    // That the one protocol is slower than the other is no trend.
    const apart = (night: Mutable<Night>) => {
      for (const { answers, protocol } of night.rounds)
        for (const one of answers) one.ms += protocol === '2' ? 0 : 500;
    };
    expect(judge(apart).get('NIGHT-06')?.outcome).toBe('pass');
  });

  it('where answers became slow late, over one protocol alone, however steady they were before', () => {
    const late = (night: Mutable<Night>) => {
      night.rounds = Array.from({ length: 8 }, (_, turn) =>
        night.rounds.map((round) => ({
          ...round,
          round: turn * 6 + round.round,
          answers: round.answers.map(({ life, at, ms }) => ({
            life,
            at: at + turn * 360_000,
            ms: turn >= 6 && round.protocol === '2' ? ms * 45 : ms,
          })),
        })),
      ).flat();
    };
    const { outcome, violations } = judge(late).get('NIGHT-06') ?? {};
    expect(outcome).toBe('fail');
    expect(violations?.map(({ what }) => what)).toEqual([
      'over HTTP/2 the last 32 answers took 585 ms, the first 13: 527 ms more at the least',
    ]);
  });

  /** As many rounds, three a setting; what an answer takes, by the share of the night that is over. */
  const during = (count: number, took: (over: number, at: number) => number) => (night: Mutable<Night>) => {
    const [first] = night.rounds;
    if (first === undefined) throw new Error('there are six rounds');
    night.rounds = Array.from({ length: count }, (_, index) => {
      const leg = Math.floor(index / 3) + 1;
      const at = (part: number): number => index * 120_000 + part * 15_000;
      return {
        ...structuredClone(first),
        round: index + 1,
        leg,
        protocol: leg % 2 === 1 ? '2' : '1.1',
        answers: Array.from({ length: 8 }, (_answer, part) => ({
          life: `${leg}.1`,
          at: at(part),
          ms: took((index + part / 8) / count, index * 8 + part),
        })),
      };
    });
  };
  /** What a busy machine adds, as nights have seen it: a few milliseconds to most answers, thirty to some. */
  const busy = (at: number): number => [0, 3, 1, 5, 8, 30, 4, 1, 6, 22, 3, 7, 2][at % 13] ?? 0;

  it('where answers of 6 ms take 52 in the end, and not where a busy machine makes any of them as slow', () => {
    const slower = judge(during(24, (over) => 6 + 46 * over)).get('NIGHT-06');
    expect(slower?.outcome).toBe('fail');
    expect(slower?.violations.map(({ expected }) => expected)).toContain('at most 15 ms in the night');
    expect(judge(during(24, (over, at) => 6 + 46 * over + busy(at))).get('NIGHT-06')?.outcome).toBe('fail');
    for (const rounds of [6, 9, 24])
      expect(judge(during(rounds, (_over, at) => 6 + busy(at))).get('NIGHT-06')?.outcome).toBe('pass');
  });

  it('where the last quarter is surely slower, and not where one of its answers is', () => {
    expect(judge(during(24, (over) => (over < 0.75 ? 6 : 30))).get('NIGHT-06')?.outcome).toBe('fail');
    expect(judge(during(6, (_over, at) => (at === 20 || at === 47 ? 90 : 6))).get('NIGHT-06')?.outcome).toBe(
      'pass',
    );
  });

  it('where three rounds of a protocol have sixteen answers: six of either end say it, and not where four do', () => {
    const tail = (slow: number) => (night: Mutable<Night>) => {
      during(6, () => 6)(night);
      for (const [, answers] of Map.groupBy(
        night.rounds.flatMap((round) => round.answers),
        ({ life }) => life,
      ))
        for (const one of answers.slice(-slow)) one.ms = 300;
    };
    const { outcome, violations } = judge(tail(6)).get('NIGHT-06') ?? {};
    expect(outcome).toBe('fail');
    expect(violations?.map(({ what }) => what)).toContain(
      'over HTTP/1.1 the last 6 answers took 300 ms, the first 6: 294 ms more at the least',
    );
    expect(judge(tail(4)).get('NIGHT-06')?.violations).toEqual([]);
  });

  it('by what processes answered that were warm', () => {
    const slowAtFirst = (night: Mutable<Night>) => {
      during(24, () => 6)(night);
      for (const round of night.rounds.slice(18)) {
        // Killed in each: the one that comes after has answers of its own.
        const late = Array.from({ length: 6 }, (_, at) => ({
          life: `${round.leg}.${round.round}`,
          at: at * 1000,
          ms: at < 2 ? 400 : 6,
        }));
        round.answers = [...round.answers.slice(0, 2), ...late];
      }
    };
    const { outcome, note } = judge(slowAtFirst).get('NIGHT-06') ?? {};
    expect(outcome).toBe('pass');
    expect(note).toMatch(/HTTP\/1\.1: the first \d\d answers took 6 ms, the last 6, and may/);
  });

  it('where a protocol was set for three rounds and its answers are too few to compare, and not where for one', () => {
    const silent =
      (rounds: number, answersEach = 0) =>
      (night: Mutable<Night>) => {
        night.rounds.splice(3 + rounds);
        for (const { answers, protocol } of night.rounds) if (protocol === '1.1') answers.splice(answersEach);
      };
    // Fifteen, ten of them of a warm process.
    expect(judge(silent(3, 5)).get('NIGHT-06')?.outcome).toBe('inconclusive');
    expect(judge(silent(3, 6)).get('NIGHT-06')?.outcome).toBe('pass');
    expect(judge(silent(3)).get('NIGHT-06')?.outcome).toBe('inconclusive');
    expect(judge(silent(1)).get('NIGHT-06')).toMatchObject({
      outcome: 'pass',
      note: expect.stringContaining(
        'HTTP/1.1: 0 answers of warm processes are too few to compare end and beginning',
      ),
    });
  });

  it('where the proxy died of itself, was killed by nobody, or was to be killed and lived', () => {
    const death = { at: 1, cause: 'itself', backMs: 900 } as const;
    expect(redAfter((round) => (round.deaths = [death]))).toEqual(['NIGHT-07 fail']);
    expect(redAfter((round) => (round.deaths = [{ ...death, cause: 'chaos' }]))).toEqual(['NIGHT-07 fail']);
    expect(redAfter((round) => (round.kills = true))).toEqual(['NIGHT-07 fail']);
  });

  it('where it did not come back, or too late', () => {
    for (const backMs of [null, 20_000]) {
      const death = { at: 1, cause: 'chaos', backMs } as const;
      expect(redAfter((round) => Object.assign(round, { kills: true, deaths: [death] }))).toEqual([
        'NIGHT-07 fail',
      ]);
    }
  });

  it('where a toggle did not take effect, or there was none', () => {
    expect(redAfter((round) => (round.spoken = { h1: 1, h2: 20 }))).toEqual(['NIGHT-08 fail']);
    expect(redAfter((round) => Object.assign(round, { protocol: '1.1', spoken: { h1: 21, h2: 0 } }))).toEqual(
      ['NIGHT-08 fail'],
    );
  });

  it('where clients waited at the same time, and the upstreams were asked one after the other', () => {
    expect(redAfter((round) => (round.atOnce = { client: 4, upstream: 1 }))).toEqual(['NIGHT-09 fail']);
    expect(redAfter((round) => (round.atOnce = { client: 2, upstream: 2 }))).toEqual([]);
  });

  it('where in one round nobody knows of several clients at the same time', () => {
    expect(redAfter((round) => (round.atOnce = null))).toEqual(['NIGHT-09 inconclusive']);
    expect(redAfter((round) => (round.atOnce = { client: 1, upstream: 1 }))).toEqual([
      'NIGHT-09 inconclusive',
    ]);
  });
});

describe('a night that goes on until a round is green', () => {
  const reds = (last: 'pass' | 'fail') => (night: Mutable<Night>) => {
    night.until = 'green';
    for (const [index, { verdict }] of night.rounds.entries()) {
      const red = [{ id: 'BYTES-01', outcome: 'fail', what: 'a byte differs' }];
      if (index < 5 || last === 'fail') Object.assign(verdict, { outcome: 'fail', red });
    }
  };

  it('is judged by that one, and says which were red before', () => {
    expect(judge(reds('pass')).get('NIGHT-02')).toMatchObject({
      outcome: 'pass',
      note: expect.stringContaining('red before it was green: rounds 1, 2, 3, 4, 5'),
    });
  });

  it('is red all the same where in one before it the proxy died of itself, or an exchange was lost', () => {
    const died = judge((night) => {
      reds('pass')(night);
      night.rounds[1]?.deaths.push({ at: 1, cause: 'itself', backMs: 900 });
    });
    expect(died.get('NIGHT-07')?.outcome).toBe('fail');
    const lost = judge((night) => {
      reds('pass')(night);
      Object.assign(night.rounds[1]?.witnesses ?? {}, { logged: 19 });
    });
    expect(lost.get('NIGHT-01')?.outcome).toBe('fail');
    expect(lost.get('NIGHT-02')?.outcome).toBe('pass');
  });

  it('is green though it was too short for a trend, and says so; one that is proved is red all the same', () => {
    const brief = judge((night) => {
      night.until = 'green';
      night.rounds.splice(1);
    });
    const trends = ['NIGHT-04', 'NIGHT-05', 'NIGHT-06'];
    for (const id of trends)
      expect(brief.get(id)).toMatchObject({
        outcome: 'skipped',
        note: 'too short for a trend, which --until-green allows',
      });
    expect(
      [...brief.values()].filter(({ id }) => !trends.includes(id)).map(({ outcome }) => outcome),
    ).toEqual(Array.from({ length: 6 }, () => 'pass'));
    const leaking = judge((night) => {
      reds('pass')(night);
      night.rounds = night.rounds.slice(3);
      for (const { readings } of night.rounds) for (const one of readings ?? []) one.rssMb += one.at / 500;
    });
    expect(leaking.get('NIGHT-04')?.outcome).toBe('fail');
    const blind = judge((night) => {
      reds('pass')(night);
      for (const round of night.rounds) round.readings = null;
    });
    expect(blind.get('NIGHT-04')?.outcome).toBe('fail');
  });

  it('is not excused where a climb could be neither proved nor ruled out, with readings enough', () => {
    const straddling = (rounds: number) =>
      judge((night) => {
        reds('pass')(night);
        night.rounds.splice(0, night.rounds.length - rounds);
        for (const { readings } of night.rounds)
          for (const [at, one] of (readings ?? []).entries()) one.rssMb += at % 2 === 0 ? 0 : 300;
      }).get('NIGHT-04');
    expect(straddling(6)).toMatchObject({ outcome: 'inconclusive', observed: 0 });
    expect(straddling(1)?.outcome).toBe('skipped');
  });

  it('is red where none was', () => {
    expect(judge(reds('fail')).get('NIGHT-02')?.outcome).toBe('fail');
  });
});

it('tell of a clock that jumped, and count that for no load', () => {
  const note = judge((night) => {
    const [, second] = night.rounds;
    if (second !== undefined) second.jumpMs = 3_600_000;
  }).get('NIGHT-02')?.note;
  expect(note).toContain('6 minutes of load; the clock jumped in 1 round, by 60 minutes: no load');
});

it('tell that the harness stood still, and count that for no load', () => {
  const note = judge((night) => {
    const [, second] = night.rounds;
    if (second !== undefined) second.stalledMs = 30_000;
  }).get('NIGHT-02')?.note;
  expect(note).toContain('5.5 minutes of load; the harness stood still in rounds 2, for 30 s: no load');
});
