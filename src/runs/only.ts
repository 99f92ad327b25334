/** What `--only` names: checks that judge, probes that are sent. */

import { WHOLE_RUN } from '../analysis/whole-run.ts';
import { OperatorError } from '../errors.ts';
import type { Suite } from './suite.ts';

export interface Only {
  /** Ids; none means all. */
  readonly checks: readonly string[];
  /** Ids as the suite has them, or as they are in the plan, with stage and number; none means all. */
  readonly probes: readonly string[];
}

/** Throws USAGE for what the suite does not have, and where its probes are no matter of choice. */
export function splitOnly(
  only: readonly string[],
  { name, checks, probes, driver, quota, stages = [] }: Suite,
): Only {
  const chosen = {
    checks: only.filter((one) => CHECK.test(one)),
    probes: only.filter((one) => !CHECK.test(one)),
  };
  if (chosen.checks.includes(WHOLE_RUN.id)) {
    throw new OperatorError('USAGE', `${WHOLE_RUN.id} is judged in every run, whatever --only names`, {
      hint: `Leave it out. ${name} has beside it ${checks.join(', ')}.`,
    });
  }
  const noCheck = chosen.checks.find((id) => !checks.includes(id));
  if (noCheck !== undefined) {
    throw new OperatorError('USAGE', `${name} has no check ${noCheck}`, {
      hint: `It has ${checks.join(', ')}.`,
    });
  }
  if (chosen.probes.length > 0 && (driver !== undefined || quota !== undefined)) {
    throw new OperatorError(
      'USAGE',
      `${name} has no probes to choose from: it shows what all of them come to`,
      {
        hint: 'Name checks alone with --only.',
      },
    );
  }
  const known = new Set(probes.flatMap(({ id, times = 1 }) => namesOf(id, times, stages)));
  const noProbe = chosen.probes.find((id) => !known.has(id));
  if (noProbe !== undefined) {
    throw new OperatorError('USAGE', `${name} has no check or probe ${noProbe}`, {
      hint: `Its probes are ${probes.map(({ id }) => id).join(', ')}; its checks ${checks.join(', ')}.`,
    });
  }
  return chosen;
}

/** Like `ROUTE-01`; no probe is called that. */
const CHECK = /^[A-Z]+-\d+$/;

/** In each stage, and by number where it is sent several times. */
function namesOf(id: string, times: number, stages: readonly { readonly name: string }[]): string[] {
  const places = [id, ...stages.map(({ name }) => `${name}-${id}`)];
  const numbered = Array.from({ length: times }, (_, at) => at + 1);
  return times === 1
    ? places
    : [id, ...places.flatMap((place) => numbered.map((number) => `${place}-${number}`))];
}
