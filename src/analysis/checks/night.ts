import type { Check, Finding, Violation } from '../check.ts';
import { duration } from '../duration.ts';
import type { Evidence, Night, RoundAccount } from '../evidence.ts';
import { loadOf } from '../night-load.ts';
import { countRounds, roundsInWords, standingRounds } from '../night-rounds.ts';
import {
  latencyOf,
  leastGain,
  type Measured,
  NOISE,
  type Quarters,
  quartersOf,
  SLOWER_MS,
  type Taken,
  takenOf,
} from '../night-trends.ts';
import { plural } from '../plural.ts';
import type { Trend } from '../trend.ts';

const NO_NIGHT = 'the run had no rounds that were judged one by one';

/** Rounds from one toggle to the next. */
const ROUNDS_A_SETTING = 3;

const nothingLost: Check = {
  id: 'NIGHT-01',
  title: 'In no round an exchange was lost: clients, log and store have the same number of them',
  least: 1,
  judge: (evidence) =>
    overRounds(evidence, ({ sent, setAside, witnesses, deaths, partial }) => {
      const { client, logged, stored } = witnesses;
      const counts = {
        client: String(client),
        log: String(logged),
        ...(stored !== null && { store: String(stored) }),
      };
      return [
        ...(client === logged && client === (stored ?? client)
          ? []
          : [{ what: 'the witnesses differ', saw: counts }]),
        // A probe may cause more than one exchange, and never none.
        ...(client < sent - setAside
          ? [{ what: 'probes are missing', expected: `${sent - setAside} or more`, saw: counts }]
          : []),
        ...(setAside > 0 && deaths.length === 0 && !partial
          ? [{ what: 'probes were set aside, and nothing had died', saw: { harness: String(setAside) } }]
          : []),
      ];
    }),
};

const allGreen: Check = {
  id: 'NIGHT-02',
  title: 'Every round was judged, none is missing, and all its checks were green',
  least: 1,
  judge(evidence) {
    const finding = overRounds(standing(evidence), ({ verdict }) => {
      if (verdict.passed.length === 0) return [{ what: 'no check passed' }];
      if (verdict.outcome === 'pass') return [];
      return verdict.red.map(({ id, outcome, what }) => ({ what: `${id} is ${outcome}: ${what}` }));
    });
    const { night } = evidence;
    if (night === undefined) return finding;
    const numbers = night.rounds.filter(({ partial }) => !partial).map(({ round }) => round);
    const gap = numbers.findIndex((number, at) => number !== at + 1);
    const violations = [
      ...finding.violations,
      ...(gap === -1
        ? []
        : [
            {
              what: 'the rounds do not follow each other',
              expected: `round ${gap + 1}`,
              saw: { events: `round ${numbers[gap]}` },
              pointers: ['events.jsonl'],
            },
          ]),
    ];
    return { ...finding, violations, note: sumUp(night) };
  },
};

const reconciled: Check = {
  id: 'NIGHT-03',
  title: 'Every round was reconciled by three witnesses: attempts in the log are what the upstreams saw',
  least: 1,
  needs: ['upstream', 'proxy'],
  judge: (evidence) =>
    overRounds(evidence, ({ witnesses: { attempts, upstream }, verdict }) => [
      ...(attempts === upstream
        ? []
        : [
            {
              what: 'the log and the upstreams differ',
              saw: { log: `${attempts} attempts`, upstreams: String(upstream ?? 'not seen') },
            },
          ]),
      ...RECONCILIATION.filter((id) => !verdict.passed.includes(id)).map((id) => ({
        what: `${id} did not pass`,
      })),
    ]),
};

const RECONCILIATION = ['RECONCILE-01', 'RECONCILE-02', 'RECONCILE-03'];

/** Of some life: what leaks with the exchanges has not shown with fewer. */
const LEAST_EXCHANGES = 20;

/** Of warm processes, over all lives: with fewer nobody has looked at it for long enough to say that nothing climbs. */
const LEAST_READINGS = 12;

const memory: TrendCheck = {
  id: 'NIGHT-04',
  title: `Memory could be read in every round, and no life of the proxy climbs by more than noise (${NOISE.rssMb.least} MB and ${NOISE.rssMb.each * 1000} kB an exchange, at most ${NOISE.rssMb.most} MB) once warm`,
  least: LEAST_READINGS,
  needs: ['proxy'],
  judge: (evidence) => overReadings(evidence, ['rssMb'], LEAST_READINGS),
};

const descriptors: TrendCheck = {
  id: 'NIGHT-05',
  title: `Open files and sockets could be read in every round, and no life climbs by more than noise (${NOISE.files.most}) once warm`,
  least: LEAST_READINGS,
  needs: ['proxy'],
  judge: (evidence) => overReadings(evidence, ['files', 'sockets'], LEAST_READINGS),
};

const latency: TrendCheck = {
  id: 'NIGHT-06',
  title: `Plain answers of warm processes came as fast at the end as at the beginning: within ${SLOWER_MS} ms, or noise`,
  least: 1,
  judge: (evidence) => {
    const rounds = roundsOf(evidence);
    if (rounds === null) return notApplicable();
    const quarters = quartersOf(rounds);
    const { observed, violations, note, tooFew } = findingOf(
      [latencyOf(rounds)],
      quarters.flatMap(slowedDown),
    );
    const compared = quarters.some(isCompared) && quarters.every(isComparedOrBrief);
    return {
      observed: compared ? observed : 0,
      violations,
      note: [note, ...quarters.map(quartersInWords)].join('; '),
      tooFew: tooFew || !compared,
    };
  },
};

const isCompared = ({ medians }: Quarters): boolean => medians !== null;

/** What was set for so long has to be compared: only of a night that ended soon after a toggle there may be too little. */
const isComparedOrBrief = (quarters: Quarters): boolean =>
  isCompared(quarters) || quarters.rounds < ROUNDS_A_SETTING;

function slowedDown({ protocol, medians }: Quarters): Violation[] {
  if (medians === null || medians.slowerBy <= medians.bound) return [];
  return [
    {
      what: `over HTTP/${protocol} the last ${medians.each} answers took ${round(medians.last)} ms, the first ${round(medians.first)}: ${round(medians.slowerBy)} ms more at the least`,
      expected: `at most ${round(medians.bound)} ms more`,
      pointers: ['events.jsonl'],
    },
  ];
}

function quartersInWords({ protocol, answers, medians }: Quarters): string {
  return medians === null
    ? `HTTP/${protocol}: ${answers} answers of warm processes are too few to compare end and beginning`
    : `HTTP/${protocol}: the first ${medians.each} answers took ${round(medians.first)} ms, the last ${round(medians.last)}, and may take ${round(medians.bound)} more`;
}

/** For another process to be ready. */
const BACK_MS = 15_000;

const explained: Check = {
  id: 'NIGHT-07',
  title:
    'The proxy died when the plan had it killed and never of itself, never hung, and was back within 15 s',
  least: 1,
  needs: ['proxy'],
  judge: (evidence) =>
    overRounds(evidence, ({ kills, deaths, partial }) => [
      ...deaths
        .filter(({ cause }) => cause !== 'chaos')
        .map(({ at, cause }) => ({
          what: `the proxy ${cause === 'hung' ? 'hung, answered nobody and was killed' : 'died of itself'} at ${new Date(at).toISOString()}`,
        })),
      ...deaths
        .filter(({ backMs }) => backMs === null || backMs > BACK_MS)
        .map(({ backMs }) => ({
          what: backMs === null ? 'it did not come back' : `it was back only after ${Math.round(backMs)} ms`,
        })),
      ...(kills || !deaths.some(({ cause }) => cause === 'chaos')
        ? []
        : [{ what: 'a kill that was not planned' }]),
      ...(kills && deaths.length === 0 && !partial
        ? [{ what: 'the plan had the proxy killed, and it did not die' }]
        : []),
    ]),
};

const toggled: Check = {
  id: 'NIGHT-08',
  title:
    'HTTP/1.1 and HTTP/2 took turns every third round, and the upstreams were spoken to in the one that was set',
  // Rounds of which an upstream saw something.
  least: 1,
  needs: ['upstream', 'proxy'],
  judge(evidence) {
    const finding = overRounds(evidence, ({ round, protocol, spoken: { h1, h2 } }) => {
      const set = Math.floor((round - 1) / ROUNDS_A_SETTING) % 2 === 0 ? '2' : '1.1';
      const strangers = protocol === '2' ? h1 : h2;
      return [
        ...(set === protocol ? [] : [{ what: 'the setting was not toggled', expected: `HTTP/${set}` }]),
        ...(strangers === 0
          ? []
          : [
              {
                what: `HTTP/${protocol} was set, and the upstreams were spoken to in the other`,
                saw: { upstreams: `${h1} attempts over HTTP/1.1, ${h2} over HTTP/2` },
              },
            ]),
      ];
    });
    const rounds = roundsOf(evidence) ?? [];
    const both = new Set(rounds.map(({ protocol }) => protocol)).size === 2;
    return rounds.length > 0 && !both
      ? { ...finding, note: 'it ended before the first toggle was due' }
      : finding;
  },
};

const beside: Check = {
  id: 'NIGHT-09',
  title: 'In every round clients worked at the same time, and so did the upstreams for them',
  // Rounds.
  least: 1,
  needs: ['upstream', 'proxy'],
  judge(evidence) {
    const rounds = roundsOf(evidence);
    if (rounds === null) return notApplicable();
    const finding = overRounds(evidence, ({ atOnce }) =>
      worksBeside(atOnce?.client) && !worksBeside(atOnce?.upstream)
        ? [
            {
              what: 'clients waited at the same time, and the upstreams were asked one after the other',
              expected: '2 or more exchanges under way there at the same time',
              saw: { clients: `${atOnce?.client} at once`, upstreams: `${atOnce?.upstream ?? 'not seen'}` },
            },
          ]
        : [],
    );
    const seen = rounds.map(({ atOnce }) => `${atOnce?.upstream ?? 0} of ${atOnce?.client ?? 0}`);
    return {
      ...finding,
      // A round of which nobody knows that it had several is not made good by the others.
      observed: rounds.every(({ atOnce }) => worksBeside(atOnce?.client)) ? rounds.length : 0,
      note: `under way at the upstreams at once, of those at the clients, round by round: ${seen.join(', ')}`,
    };
  },
};

const worksBeside = (count: number | null | undefined): boolean => (count ?? 0) > 1;

type Wrong = Omit<Violation, 'pointers'>;

function overRounds(
  evidence: Pick<Evidence, 'night'>,
  judge: (round: RoundAccount) => readonly Wrong[],
): Finding {
  const rounds = roundsOf(evidence);
  if (rounds === null) return notApplicable();
  return {
    observed: rounds.length,
    violations: rounds.flatMap((round) =>
      judge(round).map((one) => ({
        ...one,
        what: `round ${round.round}: ${one.what}`,
        pointers: [round.kept ?? 'events.jsonl'],
      })),
    ),
  };
}

const roundsOf = ({ night }: Pick<Evidence, 'night'>): readonly RoundAccount[] | null =>
  night?.rounds ?? null;

function standing({ night }: Pick<Evidence, 'night'>): Pick<Evidence, 'night'> {
  return night === undefined ? {} : { night: { ...night, rounds: standingRounds(night) } };
}

/** `tooFew`: there were not readings, exchanges or answers enough to say anything, whatever they are like. */
type TrendFinding = Finding & { readonly tooFew?: boolean };

interface TrendCheck extends Check {
  judge(evidence: Evidence): TrendFinding;
}

/**
 * A night that was to end with its first green round is as short as the proxy is good: that too little was seen of a
 * trend is no failing of it. One that is proved is, and so is one that hours could not rule out.
 */
function asLongAsItTook(check: TrendCheck): Check {
  return {
    ...check,
    judge(evidence) {
      const { tooFew = false, ...finding } = check.judge(evidence);
      if (finding.violations.length > 0 || !tooFew || evidence.night?.until !== 'green') return finding;
      return { ...finding, skipped: TOO_SHORT };
    },
  };
}

const TOO_SHORT = 'too short for a trend, which --until-green allows';

const notApplicable = (): Finding => ({ observed: 0, violations: [], skipped: NO_NIGHT });

function overReadings(
  evidence: Pick<Evidence, 'night'>,
  kinds: readonly Taken[],
  least: number,
): TrendFinding {
  const rounds = roundsOf(evidence);
  if (rounds === null) return notApplicable();
  // A round that was interrupted at once may have been too short for a look.
  const blind = rounds.filter(({ readings, partial }) => !partial && (readings ?? []).length === 0);
  return findingOf(
    kinds.map((kind) => takenOf(rounds, kind)),
    blind.map(({ round }) => ({
      what: `round ${round}: what the proxy takes could not be read`,
      pointers: ['events.jsonl'],
    })),
    least,
  );
}

/**
 * A climb is proved where the whole interval of any life, or of the night, lies above the bound, and ruled out where that
 * of all lives together lies below. In between, and where there is no trend, nothing can be said: that is no observation.
 */
function findingOf(
  measured: readonly Measured[],
  blind: readonly Violation[],
  least = 1,
): TrendFinding & { readonly tooFew: boolean } {
  const known = measured.flatMap(({ trend, ...one }) => (trend === null ? [] : [{ ...one, trend }]));
  const climbing = known.flatMap(({ worst, ...one }) => {
    const { life, trend, bound } = worst ?? { ...one, life: null };
    return leastGain(trend) > bound ? [{ ...one, life, trend, bound }] : [];
  });
  const unsure = known.filter(
    (one) => !climbing.some(({ name }) => name === one.name) && one.trend.high * one.trend.span > one.bound,
  );
  const idle = known.some(({ exchanges }) => exchanges !== undefined && exchanges.most < LEAST_EXCHANGES);
  // Of each kind there have to be so many: those of another say nothing of it.
  const points = known.length < measured.length ? 0 : Math.min(...known.map(({ trend }) => trend.points));
  return {
    observed: unsure.length === 0 && !idle ? points : 0,
    tooFew: points < least || idle,
    violations: [
      ...blind,
      ...climbing.map((one) => ({
        what: `${one.name} climbs${one.life === null ? '' : ` in life ${one.life}`}: ${growthOf(one)}`,
        expected: `at most ${round(one.bound)} ${one.unit} in ${one.of}`,
        pointers: ['events.jsonl'],
      })),
    ],
    note: known.map(noteOf).join('. ') || 'too few readings for a slope',
  };
}

type Known = Measured & { readonly trend: Trend };

/** `Memory grew by 3.1 MB in a life of 15.2 min once warm (95 %: -2 to 8), and may by 40; …`: rates are for `NIGHT.json`. */
function noteOf(one: Known): string {
  const { name, unit, bound, of, worst, tooShort = 0, exchanges, trend } = one;
  const groups = of === 'a life' ? plural(trend.groups, 'life', 'lives') : plural(trend.groups, 'protocol');
  return [
    `${name.charAt(0).toUpperCase()}${name.slice(1)} grew ${growthOf(one)}, and may by ${round(bound)}${exchanges === undefined ? '' : ` with ${plural(Math.round(exchanges.mean), 'exchange')}`}`,
    ...(exchanges !== undefined && exchanges.most < LEAST_EXCHANGES
      ? [`fewer than ${LEAST_EXCHANGES} exchanges in any life show nothing`]
      : []),
    `the median of ${plural(trend.points, 'reading')} in ${groups} is ${round(trend.level)} ${unit}`,
    ...(worst ? [mostGrown(worst, unit)] : []),
    ...(tooShort > 0 ? [`${plural(tooShort, 'life', 'lives')} too short for a slope`] : []),
  ].join('; ');
}

function mostGrown({ life, trend }: NonNullable<Known['worst']>, unit: string): string {
  const least = leastGain(trend);
  return least > 0
    ? `life ${life} grew the most, by ${round(least)} ${unit} or more`
    : 'no life grew for certain';
}

function growthOf({ trend: { slope, low, high, span }, unit, of }: Known): string {
  const [gain, least, most] = [slope, low, high].map((one) => round(one * span));
  const warm = of === 'a life' ? ' once warm' : '';
  return `by ${gain} ${unit} in ${of} of ${duration(span)}${warm} (95 %: ${least} to ${most})`;
}

const round = (value: number): string => String(Math.round(value * 100) / 100 + 0);

/** For the note: how the night went. */
function sumUp({ rounds, until }: Night): string {
  const sum = (of: (one: RoundAccount) => number): number =>
    rounds.reduce((total, one) => total + of(one), 0);
  const red = rounds.filter(({ verdict }) => verdict.outcome !== 'pass');
  const jumps = rounds.filter(({ jumpMs }) => Math.abs(jumpMs) > JUMP_MS);
  const stalls = rounds.filter(({ stalledMs }) => stalledMs > 0);
  const asleep = jumps.reduce((total, { jumpMs }) => total + jumpMs, 0);
  return [
    [
      roundsInWords(countRounds(rounds)),
      plural(
        sum(({ witnesses }) => witnesses.client),
        'exchange',
      ),
      plural(
        sum(({ faults }) => faults.length),
        'fault',
      ),
    ].join(', '),
    `${plural(
      sum(({ deaths }) => deaths.length),
      'death',
    )} of the proxy, ${plural(
      sum(({ setAside }) => setAside),
      'probe',
    )} under way then or when it was interrupted`,
    `${round(loadOf(rounds) / 60_000)} minutes of load`,
    ...(stalls.length === 0
      ? []
      : [
          `the harness stood still in rounds ${stalls.map((one) => one.round).join(', ')}, for ${round(sum(({ stalledMs }) => stalledMs) / 1000)} s: no load`,
        ]),
    ...(jumps.length === 0
      ? []
      : [
          `the clock jumped in ${plural(jumps.length, 'round')}, by ${round(asleep / 60_000)} minutes: no load`,
        ]),
    ...(until === 'green' && red.length > 0
      ? [`red before it was green: rounds ${red.map((one) => one.round).join(', ')}`]
      : []),
  ].join('; ');
}

/** Clocks are set by fractions of a second all the time. */
const JUMP_MS = 2_000;

export const NIGHT_CHECKS: readonly Check[] = [
  nothingLost,
  allGreen,
  reconciled,
  ...[memory, descriptors, latency].map(asLongAsItTook),
  explained,
  toggled,
  beside,
];
