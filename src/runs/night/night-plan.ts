/**
 * The rounds of a night, drawn from its seed: the same seed, the same probes, faults and kills in the same order, however
 * often the night was interrupted and resumed.
 */
import { createSeeded, type Seeded } from '../../harness/upstream/seeded.ts';
import type { RoundAccount } from '../../protocol/witness.ts';
import type { NightPlan, Plan, PlannedProbe } from '../run-record.ts';
import type { Lane } from '../suite.ts';

export interface PlannedRound {
  /** From 1. */
  readonly round: number;
  readonly protocol: RoundAccount['protocol'];
  /** Sent one after the other by several clients. */
  readonly probes: readonly PlannedProbe[];
  /** Sent by themselves afterwards: a scenario that is queued is for whatever comes next, and a broken connection for all on it. */
  readonly alone: readonly PlannedProbe[];
  /** The proxy is killed when so many of the probes were sent; null where it is let live. */
  readonly killAfter: number | null;
}

/** Rounds from one toggle to the next. */
export const ROUNDS_A_SETTING = 3;
/** Of the probes that are no plain ones, which are six of eight: so one in four of all. */
const ONE_FAULT_IN = 3;
/** One round in so many has a kill. */
const ONE_KILL_IN = 4;

type Drawn = Pick<NightPlan, 'perRound' | 'width' | 'chaos' | 'clients' | 'toggles'>;

export function roundOf(
  { seed, upstream }: Pick<Plan, 'seed' | 'upstream'>,
  night: Drawn,
  round: number,
): PlannedRound {
  const draw = createSeeded(seed, 'night', round);
  const probes = Array.from({ length: night.perRound }, (_, index) => {
    const id = `r${round}-${index + 1}`;
    if (night.clients === 'claude')
      return claudeProbe(id, round + index, night.width > 1 && upstream === 'mock');
    const plain = plainProbe(id, index, upstream);
    const mayFail = night.chaos && !isPlain(plain);
    return mayFail && draw.int(ONE_FAULT_IN) === 0 ? faultyProbe(plain, draw) : plain;
  });
  return {
    round,
    protocol: night.toggles && isOdd(Math.floor((round - 1) / ROUNDS_A_SETTING)) ? '1.1' : '2',
    probes,
    alone: night.chaos ? aloneIn(round, draw) : [],
    killAfter: night.chaos && draw.int(ONE_KILL_IN) === 0 ? killIn(night.perRound, draw) : null,
  };
}

/**
 * What takes as long as the proxy does, and not as long as a scenario wants. It is played no fault: by these answers
 * latency is judged, and a short night has few enough of them.
 */
export const isPlain = ({ scenario, op, client }: PlannedProbe): boolean =>
  client === 'curl' && scenario === undefined && op === 'nonstream';

/** In the second half of a round: before that there is little that a kill could take. */
function killIn(probes: number, draw: Seeded): number {
  const half = Math.floor(probes / 2);
  return half + draw.int(Math.max(1, probes - half));
}

/** The start-up setting that makes the proxy speak it. */
export const protocolSetting = (protocol: RoundAccount['protocol']): Readonly<Record<string, string>> => ({
  CCP_FORCE_H1: protocol === '1.1' ? '1' : '0',
});

/** What is played in a round, in the order of its plan. */
export const faultsOf = ({ probes, alone }: Pick<PlannedRound, 'probes' | 'alone'>): RoundAccount['faults'] =>
  [...probes, ...alone].flatMap(({ id, scenario, mayFail }) => {
    if (typeof scenario === 'object')
      return [{ probe: id, scenario: `${scenario.name} at ${scenario.provider}` }];
    return scenario !== undefined && (mayFail === true || SLOW.has(scenario))
      ? [{ probe: id, scenario }]
      : [];
  });

const MODELS: Readonly<Record<Lane, string>> = {
  anthropic: 'claude-sonnet-5',
  zai: 'claude-haiku-4-5-20251001',
};
const LANES = ['anthropic', 'zai'] as const;

/** The kinds of plain probe of either lane, in turn. A round of two has streams alone, as one of Claude Code has: most checks are about these. */
const KINDS = [
  { op: 'stream', scenario: 'paced' },
  { op: 'nonstream' },
  { op: 'stream' },
  { op: 'nonstream' },
  { op: 'stream', acceptEncoding: 'gzip', scenario: 'gzip' },
  { op: 'count_tokens' },
  { op: 'stream', scenario: 'many-blocks' },
  { op: 'stream', scenario: 'paced', leaveAfterBytes: 900 },
] as const satisfies readonly Partial<PlannedProbe>[];

function plainProbe(id: string, index: number, upstream: Plan['upstream']): PlannedProbe {
  const lane = at(LANES, index);
  const both = { id, client: 'curl', model: MODELS[lane], lane } as const;
  // They play nothing, and are paid by the token.
  if (upstream === 'real') return { ...both, op: at(['stream', 'nonstream'], index >> 1), maxTokens: 8 };
  return { ...both, ...at(KINDS, index >> 1) };
}

/** `long`: its answers take so long that several clients, which are slow to start, are there at the same time. */
const claudeProbe = (id: string, turn: number, long: boolean): PlannedProbe => {
  const lane = at(LANES, turn);
  const scenario = long ? ({ scenario: 'long-paced' } as const) : {};
  return {
    id,
    client: 'claude',
    model: lane === 'zai' ? 'haiku' : 'sonnet',
    lane,
    op: 'stream',
    ...scenario,
  };
};

/** Answers that come late, and whole. */
const SLOW: ReadonlySet<string> = new Set(['slow-first-byte', 'slow-after-head']);

/** What stays on its lane: past the first byte nobody can be asked in its stead, and a refusal is an answer. */
const MID_STREAM = [
  'truncated',
  'truncated-no-stop',
  'rst-internal-midbody',
  'rst-cancel-midbody',
  'overloaded-midstream',
  'hang-midbody',
  ...SLOW,
];
const FAULTS: Readonly<Record<Lane, readonly string[]>> = {
  anthropic: [...MID_STREAM, 'anth-429-plain', 'anth-529', 'anth-500', 'rst-internal-before-head'],
  zai: [...MID_STREAM, 'zai-1210-2026'],
};
/** What happens to a connection, and over HTTP/2 to every exchange on it. */
const CONNECTION_FAULTS = [
  'reset-before-head',
  'reset-midhead',
  'reset-midbody',
  'close-before-head',
  'close-midbody',
  'goaway-graceful',
] as const;

function faultyProbe({ id, client, model, lane }: PlannedProbe, draw: Seeded): PlannedProbe {
  const scenario = pick(FAULTS[lane], draw);
  const probe = { id, client, model, lane, op: 'stream', scenario } as const;
  return SLOW.has(scenario) ? probe : { ...probe, mayFail: true };
}

/** What makes Z.AI unusable for one request, which then goes to Anthropic. */
const FALLBACKS = [
  { provider: 'zai', name: 'zai-1308-2026' },
  // Refused in both header modes, hence twice.
  { provider: 'zai', name: 'zai-401-2026', times: 2 },
] as const satisfies readonly PlannedProbe['scenario'][];

function aloneIn(round: number, draw: Seeded): PlannedProbe[] {
  return [
    fallenBack(`r${round}-fallback`, pick(FALLBACKS, draw)),
    {
      id: `r${round}-connection`,
      client: 'curl',
      model: MODELS.anthropic,
      lane: 'anthropic',
      op: 'stream',
      scenario: pick(CONNECTION_FAULTS, draw),
      mayFail: true,
    },
    // After all that, and after a kill that took what was under way, there is to be a stream that keeps its pace.
    {
      id: `r${round}-paced`,
      client: 'curl',
      model: MODELS.anthropic,
      lane: 'anthropic',
      op: 'stream',
      scenario: 'paced',
    },
  ];
}

const fallenBack = (id: string, scenario: (typeof FALLBACKS)[number]): PlannedProbe => ({
  id,
  client: 'curl',
  model: MODELS.zai,
  lane: 'anthropic',
  op: 'nonstream',
  scenario,
});

const isOdd = (number: number): boolean => number % 2 === 1;
const pick = <T>(list: readonly T[], draw: Seeded): T => at(list, draw.int(list.length));

function at<T>(list: readonly T[], index: number): T {
  const found = list[index % list.length];
  if (found === undefined) throw new RangeError('the list is empty');
  return found;
}
