import { relative } from 'node:path';
import { loadSelftestText, type SelftestResult } from '../../ccp-uat.ts';
import { type Host, printJson } from '../shared/host.ts';
import { table } from '../shared/table.ts';
import type { Terminal } from '../shared/terminal.ts';
import { printDeaf, tellGithub } from './github.ts';
import { open } from './load.ts';

interface SelftestFlags {
  /** Names; none means all. */
  readonly saboteurs: readonly string[];
  readonly full: boolean;
  readonly seed: string | undefined;
  readonly keep: string | undefined;
  readonly json: boolean;
}

/** `ccp-uat selftest`: fails where a saboteur survives, or where a run that nobody broke is not green. */
export async function selftest(
  host: Host,
  terminal: Terminal,
  { json, ...asked }: SelftestFlags,
): Promise<number> {
  const words = await loadSelftestText();
  using interruption = terminal.interruption();
  const finished = await open(host).uat.selftest({
    ...asked,
    signal: interruption.signal,
    onResult: (one) => host.err.write(`ccp-uat: ${one.name}, in ${one.suite}: ${words.fateOf(one)}\n`),
  });
  const { result, record } = finished;
  const where = whereOf(host, finished.folder);
  const kept = asked.keep === undefined ? '' : `  ${asked.keep}, with a folder for each run: report.html\n`;
  if (json) printJson(host, result);
  else printDeaf(host, () => host.out.write(`${textOf(host, result, words)}  ${where}\n${kept}`));
  await tellGithub(host, finished, { where, screen: json ? host.err : host.out });
  return record.exitCode;
}

type Words = Awaited<ReturnType<typeof loadSelftestText>>;

function textOf({ out }: Host, result: SelftestResult, words: Words): string {
  const { fateOf, whyOf, isAlive, repeatLine, countsOf, verdictOf } = words;
  const { control, saboteurs, seed, ok } = result;
  const rows = saboteurs.map((one) => [fateOf(one), one.name, one.suite, whyOf(one)]);
  const red = control.map(
    ({ suite, id, what }) => `The control run of ${suite} was red: ${id}: ${what.join('; ')}`,
  );
  const survivors = saboteurs
    .filter(isAlive)
    .map((one) => `${one.name}, in ${one.suite}: ${one.breaks}\n  repeat: ${repeatLine(one, result)}`);
  const verdict = out.paint(ok ? 'green' : 'red', verdictOf(result).toUpperCase());
  return [
    table(out, ['', 'saboteur', 'suite', 'killed by'], rows),
    ...[...red, ...survivors].map((line) => `${line}\n`),
    `${verdict}  selftest: ${countsOf(result)}, seed ${seed}\n`,
  ].join('');
}

function whereOf({ cwd }: Host, folder: string): string {
  const below = relative(cwd, folder);
  return below.startsWith('..') ? folder : below;
}
