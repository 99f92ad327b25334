/** `--license env`: of all that the caller's environment holds, these variables alone go to the target. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Plan, RunRequest } from '../../ccp-uat.ts';
import { OperatorError } from '../../errors.ts';
import type { Host } from '../shared/host.ts';

const SOURCES = ['CC_LICENSE_JSON', 'CC_LICENSE_SIG', 'CC_LICENSE_PACK'] as const;

/**
 * What the target is to find, relative paths made absolute as it is started in another folder; undefined where no plan
 * asks for it. Throws CONFIG where the caller has no licence to pass on.
 */
export function callersLicense(
  { env, cwd }: Pick<Host, 'env' | 'cwd'>,
  plans: readonly Pick<Plan, 'stages' | 'target'>[],
): RunRequest['license'] {
  const wanted = plans.some(
    ({ stages, target }) => target.kind !== 'url' && stages.some(({ license }) => license === 'env'),
  );
  if (!wanted) return undefined;
  const sources = SOURCES.flatMap((name) => {
    const value = env[name];
    return value === undefined || value === '' ? [] : [[name, pathOrLiteral(value, cwd)] as const];
  });
  if (sources.length === 0) {
    throw new OperatorError('CONFIG', `--license env: none of ${SOURCES.join(', ')} is set`, {
      hint: 'Set one of them and CCP_LICENSE_PUBKEY_B64, or choose --license trial or --license none.',
    });
  }
  const keys = env['CCP_LICENSE_PUBKEY_B64'];
  return { ...Object.fromEntries(sources), ...(keys !== undefined && { CCP_LICENSE_PUBKEY_B64: keys }) };
}

/** As the proxy tells them apart: JSON is a literal, and so is what names no file. */
function pathOrLiteral(value: string, cwd: string): string {
  if (value.trimStart().startsWith('{')) return value;
  const path = resolve(cwd, value);
  return existsSync(path) ? path : value;
}
