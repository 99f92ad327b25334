/** Which witnesses a run can have by its nature, and which checks it must therefore skip. */
import type { Check, Witness } from '../analysis/check.ts';
import { lanesIn } from './drivers.ts';
import type { Plan } from './run-record.ts';

interface Sending extends Pick<Plan, 'upstream' | 'target'> {
  /** Where its probes go. */
  readonly lanes: ReadonlySet<string>;
}

/** Why `check` cannot be judged in such a run; null where it can. */
export function missingWitness(
  { needs = [], lane }: Pick<Check, 'needs' | 'lane'>,
  run: Sending,
): string | null {
  if (lane !== undefined && !run.lanes.has(lane)) return `nothing is sent to ${lane}`;
  return needs.map((witness) => whyMissing(witness, run)).find((reason) => reason !== null) ?? null;
}

/**
 * The checks of a stored plan as such a run may skip them. A plan comes with the evidence, which may not say itself what it
 * is judged by: of a check that is still there, only that is skipped whose witness the run cannot have, for that reason.
 */
export function withFoundedSkips(plan: Plan, checks: readonly Check[]): Plan['checks'] {
  const run = { ...plan, lanes: lanesIn(plan) };
  return plan.checks.map(({ skip, ...planned }) => {
    const check = checks.find(({ id }) => id === planned.id);
    const reason = check === undefined ? skip : (missingWitness(check, run) ?? undefined);
    return skip === undefined || reason === undefined ? planned : { ...planned, skip: reason };
  });
}

function whyMissing(
  witness: Witness,
  { upstream, target }: Pick<Plan, 'upstream' | 'target'>,
): string | null {
  if (target.kind === 'url') {
    return witness === 'upstream'
      ? 'the upstreams of a proxy that already runs are not ours'
      : 'the records of a proxy that already runs are not read';
  }
  if (witness === 'upstream') return upstream === 'real' ? 'a real upstream gives no transcript' : null;
  return witness === 'commands' && target.kind === 'cmd' ? 'another program has no commands of ccp' : null;
}
