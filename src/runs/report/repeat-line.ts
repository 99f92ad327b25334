/** The command that does the same again, as it can be typed. What it names may come from a stranger's bundle: all of it is quoted. */
import { shellLine, shellWord } from '../../platform/shell-words.ts';
import { MOST_ROUNDS, timeForRounds } from '../drivers.ts';
import type { Plan, RunRecord } from '../run-record.ts';

/** Runs the same again and judges by this check; where the run is a part of something, that as a whole. */
export function reproduceLine({ plan }: Pick<RunRecord, 'plan'>, check: string): string {
  const { asked: { client, timeoutMs, license, login, lanes, probes = [], selftest } = {} } = plan;
  if (selftest !== undefined) return selftestLine({ ...selftest, seed: plan.seed });
  const { target, partOf, driver = partOf } = plan;
  const under = target.kind === 'builtin' ? null : target.kind === 'url' ? target.url : target.command;
  const names = [...(plan.checks.some(({ id }) => id === check) ? [check] : []), ...probes];
  // What judges its rounds is not what judges a night.
  const only = names.length === 0 || partOf !== undefined ? [] : ['--only', ...names];
  const words = [
    'ccp-uat',
    ...(driver === undefined ? ['run', plan.suite] : [plan.suite, ...figures(plan.suite, driver)]),
    ...only,
    '--seed',
    plan.seed,
    ...(client === undefined ? [] : ['--client', client]),
    ...(timeoutMs === undefined ? [] : ['--timeout-secs', timeoutMs / 1000]),
    ...(license === undefined ? [] : ['--license', license]),
    ...(plan.upstream === 'real' ? ['--upstream', 'real'] : []),
    ...(under === null ? [] : ['--target', under]),
  ];
  return [
    // As variables: not every suite has flags for them.
    ...(login === undefined ? [] : ['USE_LICENSE_LOGIN=1']),
    ...(lanes === undefined ? [] : [`SMOKE_LANES=${shellWord(lanes.join(','))}`]),
    shellLine(words.map(String)),
  ].join(' ');
}

/** Goes on with a night that did not come to its end; null where there is nothing to go on with. `night`: its folder or name. */
export const resumeLine = (
  { plan, ending }: Pick<RunRecord, 'plan' | 'ending'>,
  night: string,
): string | null =>
  plan.driver?.kind === 'overnight' && ending !== 'complete' && ending !== 'running'
    ? shellLine(['ccp-uat', 'overnight', '--resume', night])
    : null;

/** Without names, all saboteurs. */
export const selftestLine = ({
  saboteurs,
  full,
  seed,
}: {
  readonly saboteurs: readonly string[];
  readonly full: boolean;
  readonly seed: string;
}): string => shellLine(['ccp-uat', 'selftest', ...saboteurs, '--seed', seed, ...(full ? ['--full'] : [])]);

type Driver = NonNullable<Plan['driver']>;

function figures(suite: string, driver: Driver): string[] {
  if (driver.kind === 'soak')
    return ['--rounds', `${driver.rounds}`, '--minutes', minutes(driver.rounds * driver.roundMs)];
  if (driver.kind === 'limits') return ['--lane', driver.lane, '--max-requests', `${driver.maxRequests}`];
  return suite === 'parallel' ? [`${driver.width}`, ...rounds(driver)] : nightFigures(driver);
}

type NightDriver = Extract<Driver, { kind: 'overnight' }>;

function nightFigures(driver: NightDriver): string[] {
  const { toggles, maxMs, pauseMs, until, chaos, maxRequests } = driver;
  return [
    ...(toggles ? ['--max-minutes', minutes(maxMs), '--sleep-between', `${pauseMs / 1000}`] : rounds(driver)),
    ...(chaos ? ['--chaos'] : []),
    ...(toggles && until !== 'red' ? [until === 'green' ? '--until-green' : '--soak'] : []),
    ...(maxRequests === undefined ? [] : ['--max-requests', `${maxRequests}`]),
  ];
}

/** Either may be what was asked for, or both. */
const rounds = ({ maxRounds = MOST_ROUNDS, maxMs }: NightDriver): string[] => [
  ...(maxRounds < MOST_ROUNDS ? ['--rounds', `${maxRounds}`] : []),
  ...(maxMs === timeForRounds(maxRounds) ? [] : ['--minutes', minutes(maxMs)]),
];

const minutes = (ms: number): string => `${ms / 60_000}`;
