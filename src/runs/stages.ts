/** The stages of a run: which licence the target has in each, and what that makes of the probes sent there. */
import { OperatorError } from '../errors.ts';
import type { RunOptions } from './run-options.ts';
import { ONLY_STAGE, type Plan, type PlannedProbe, type PlannedStage } from './run-record.ts';
import type { StageSpec, Suite } from './suite.ts';

type Chosen = Pick<RunOptions, 'license' | 'login' | 'upstream' | 'target'>;

/** At least one. Throws USAGE where the licence is not the caller's to choose, or the target not ours to restart. */
export function planStages({ name, stages }: Pick<Suite, 'name' | 'stages'>, chosen: Chosen): PlannedStage[] {
  if (stages !== undefined) return planRestarts(name, stages, chosen);
  const { license, upstream, target } = chosen;
  if (target.kind === 'url' && (license === 'trial' || license === 'none')) {
    throw new OperatorError('USAGE', `${target.url} runs already, with the licence that it has`, {
      hint: 'Leave --license out.',
    });
  }
  const ownAffair = upstream === 'real' || target.kind === 'url';
  return [{ name: ONLY_STAGE, license: license ?? (ownAffair ? 'env' : 'trial'), by: 'environment' }];
}

function planRestarts(
  suite: string,
  stages: readonly StageSpec[],
  { license, login, target }: Chosen,
): PlannedStage[] {
  if (license !== undefined) {
    throw new OperatorError('USAGE', `${suite} chooses the licence of each stage itself`, {
      hint: 'Leave --license out.',
    });
  }
  if (target.kind === 'url') {
    throw new OperatorError(
      'USAGE',
      `${suite} restarts the proxy, and ${target.url} is not ours to restart`,
      {
        hint: 'Leave --target out, or give a command with {port}.',
      },
    );
  }
  if (login && target.kind !== 'builtin') {
    throw new OperatorError('USAGE', '--login runs commands of ccp, which another target need not have', {
      hint: 'Leave --login out; the licence is put into the environment then.',
    });
  }
  return stages.map((stage) => ({
    name: stage.name,
    license: stage.license,
    by: wayOf(stage, { login, target }),
    ...(stage.mode !== undefined && { mode: stage.mode }),
    ...(stage.quota !== undefined && { quota: stage.quota }),
  }));
}

function wayOf(
  { by, license }: StageSpec,
  { login, target }: Pick<Chosen, 'login' | 'target'>,
): PlannedStage['by'] {
  if (by === undefined || target.kind !== 'builtin') return 'environment';
  return login && license === 'trial' ? 'login' : by;
}

/** The name of the stage that a probe is sent in. */
export const stageOf = ({ stage }: Pick<PlannedProbe, 'stage'>, { stages }: Pick<Plan, 'stages'>): string =>
  stage ?? stages[0]?.name ?? ONLY_STAGE;

/** Whether a target with it may use the gated lane; of the caller's own that is taken for granted. */
export const opensZai = (license: PlannedStage['license']): boolean =>
  license === 'trial' || license === 'env';

/** What the licence gate makes of a probe: Anthropic, which needs no licence, gets it (contract, section 4). */
export const turnedAway = (probe: PlannedProbe): PlannedProbe =>
  probe.lane === 'zai' ? { ...probe, lane: 'anthropic', decision: 'license_block' } : probe;

/** What is left to say where the lane stayed closed all along: the claims of a suite are about both lanes. */
export const BARRED_CLAIM =
  'Without a licence each haiku call went to Anthropic as license_block, and nothing of any client to Z.AI.';
