/** `--license env`: the licence that a proxy started here would have goes to the target, and nothing else of the caller does. */
import type { Plan, RunRequest } from '../../ccp-uat.ts';
import { loadCcpSettings } from '../../config/ccp-settings.ts';
import { licenseVariables } from '../../config/license-variables.ts';
import {
  featuresOf,
  judgeLicense,
  type LicenseState,
  REASONS,
  sentenceOf,
} from '../../config/open-license.ts';
import { OperatorError } from '../../errors.ts';
import type { Host } from '../shared/host.ts';

/**
 * What the target is to find: the licence from the environment, from the user's settings file or stored, and the keys
 * that are known here; undefined where no plan asks for it. Throws CONFIG where there is none, or none that opens
 * the Z.AI lane: the plan rests on that.
 */
export function callersLicense(
  { env, cwd, home }: Pick<Host, 'env' | 'cwd' | 'home'>,
  plans: readonly Pick<Plan, 'stages' | 'target'>[],
): RunRequest['license'] {
  const wanted = plans.some(
    ({ stages, target }) => target.kind !== 'url' && stages.some(({ license }) => license === 'env'),
  );
  if (!wanted) return undefined;
  const loaded = loadCcpSettings({ env, cwd, home });
  const state = judgeLicense(loaded, Date.now());
  if (featuresOf(state).has(FEATURE)) return licenseVariables(loaded);
  const remedy = state.ok ? 'Get one that has it.' : REASONS[state.reason].remedy;
  throw new OperatorError('CONFIG', whyUseless(state), {
    hint: `${remedy} Or choose --license trial or --license none.`,
  });
}

/** What opens the Z.AI lane (contract, section 7). */
const FEATURE = 'zai_offload';

function whyUseless(state: LicenseState): string {
  if (state.ok)
    return `the licence of ${state.source} does not open the Z.AI lane: it is without the feature ${FEATURE}`;
  const whose = state.reason === 'none' ? 'of yours' : `of ${state.source}`;
  return `the licence ${whose} is to be used and does not count. ${sentenceOf(state)}`;
}
