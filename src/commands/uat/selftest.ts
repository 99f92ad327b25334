import type { SelftestResult } from '../../ccp-uat.ts';
import { EXIT } from '../../errors.ts';
import { type Host, printJson } from '../shared/host.ts';
import { table } from '../shared/table.ts';
import type { Terminal } from '../shared/terminal.ts';
import { open } from './load.ts';

interface SelftestFlags {
  /** Names; none means all. */
  readonly saboteurs: readonly string[];
  readonly seed: string | undefined;
  readonly json: boolean;
}

/** `ccp-uat selftest`: fails where a saboteur survives, or where the run that nobody broke is not green. */
export async function selftest(
  host: Host,
  terminal: Terminal,
  { saboteurs, seed, json }: SelftestFlags,
): Promise<number> {
  using interruption = terminal.interruption();
  const result = await open(host).uat.selftest({
    saboteurs,
    seed,
    signal: interruption.signal,
    onResult: (one) => host.err.write(`ccp-uat: ${one.name}: ${fateOf(one)}\n`),
  });
  if (json) printJson(host, result);
  else host.out.write(textOf(host, result));
  return result.ok ? EXIT.ok : EXIT.failed;
}

function textOf({ out }: Host, { control, saboteurs, seed }: SelftestResult): string {
  const rows = saboteurs.map((one) => [fateOf(one), one.name, reasonOf(one)]);
  const survivors = saboteurs.filter((one) => fateOf(one) === 'SURVIVED');
  const tried = saboteurs.filter((one) => fateOf(one) !== 'skipped');
  const verdict = [
    control.length === 0
      ? 'The run that nobody broke was green.'
      : `The run that nobody broke was red: ${control.map(({ id }) => id).join(' ')}`,
    `${tried.length - survivors.length} of ${tried.length} saboteurs killed, seed ${seed}.`,
    ...survivors.map(
      ({ name, breaks }) => `${name}: ${breaks}\n  repeat: ccp-uat selftest ${name} --seed ${seed}`,
    ),
  ];
  return `${table(out, ['', 'saboteur', 'killed by'], rows)}\n${verdict.join('\n')}\n`;
}

type Tried = SelftestResult['saboteurs'][number];

function fateOf({ killed, skipped }: Tried): 'killed' | 'SURVIVED' | 'skipped' {
  if (skipped !== undefined) return 'skipped';
  return killed ? 'killed' : 'SURVIVED';
}

function reasonOf({ killed, killedBy, caughtBy, skipped }: Tried): string {
  if (skipped !== undefined) return skipped;
  if (killed) return killedBy.join(' ');
  return `not noticed by ${caughtBy.filter((id) => !killedBy.includes(id)).join(' ')}`;
}
