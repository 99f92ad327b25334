import { type KnownSaboteur, type Suite, suiteAmong, WHOLE_RUN } from '../../ccp-uat.ts';
import { EXIT } from '../../errors.ts';
import { type Host, printJson } from '../shared/host.ts';
import { table } from '../shared/table.ts';
import { open } from './load.ts';

interface ListFlags {
  /** Of suites; none means all. */
  readonly names: readonly string[];
  /** Those in their stead that are tried in them. */
  readonly saboteurs: boolean;
  readonly json: boolean;
}

/**
 * `ccp-uat list`: the suites in a line each, or those named with all that a green run of them entitles one to say; or what the
 * self-test breaks in them.
 */
export async function list(host: Host, { names, saboteurs, json }: ListFlags): Promise<number> {
  const { uat } = open(host);
  const all = await uat.suites();
  const suites = names.length === 0 ? all : names.map((name) => suiteAmong(all, name));
  if (saboteurs) {
    const tried = (await uat.saboteurs()).filter((one) => suites.some(({ name }) => name === one.suite));
    if (json) printJson(host, { saboteurs: tried });
    else host.out.write(saboteurTable(host, tried));
  } else if (json) printJson(host, { suites });
  else
    host.out.write(
      names.length === 0 ? overview(host, suites) : suites.map((one) => detail(host, one)).join('\n'),
    );
  return EXIT.ok;
}

function saboteurTable({ out }: Host, saboteurs: readonly KnownSaboteur[]): string {
  const rows = saboteurs.map(({ name, breaks, suite, noticedBy }) => [
    name,
    breaks,
    suite,
    noticedBy.join(' '),
  ]);
  return table(out, ['saboteur', 'what it breaks', 'tried in', 'must be noticed by'], rows);
}

function overview({ out }: Host, suites: readonly Suite[]): string {
  const rows = suites.map((suite) => [
    suite.name,
    suite.title,
    probesOf(suite),
    String(checksOf(suite).length),
  ]);
  return table(out, ['suite', 'what it does', 'probes', 'checks'], rows);
}

/** As a run counts them. */
const checksOf = ({ checks }: Suite): string[] => [WHOLE_RUN.id, ...checks];

/** A load, or a search for a limit, is no list of probes. */
function probesOf({ probes, driver, stages }: Suite): string {
  if (driver !== undefined) return '-';
  const sent = probes.map(({ times = 1, stages: own }) => times * (own ?? stages ?? ['its only one']).length);
  return String(sent.reduce((sum, one) => sum + one, 0));
}

function detail({ out }: Host, suite: Suite): string {
  const { name, title, proves, probes, stages = [] } = suite;
  const rows = [
    ['does', title],
    ...proves.map((claim, at) => [at === 0 ? 'proves' : '', claim]),
    ...(stages.length === 0 ? [] : [['stages', stages.map((stage) => stage.name).join(', ')]]),
    ...(probes.length === 0
      ? []
      : [['probes', probes.map(({ id, times = 1 }) => (times === 1 ? id : `${id} × ${times}`)).join(', ')]]),
    ['checks', checksOf(suite).join(' ')],
  ];
  return table(out, ['suite', name], rows);
}
