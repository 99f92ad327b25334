/** Asks a target for what is not there beneath its own endpoints (contract, section 8), as a client that mistyped a path. */
import type { BeneathAnswer } from '../protocol/witness.ts';
import type { Target } from './types/target.ts';

const ROOTS = ['/healthz', '/readyz', '/metrics', '/v1/usage', '/v1/quotas', '/v1/dev', '/v1/ccp'] as const;

/** Below each of them, as no upstream has it either. */
const MISTYPED = 'mistyped';

/** `key`: a made-up credential of its own, so that wherever it turns up tells of this and nothing else. */
export function askBeneath(target: Pick<Target, 'get'>, key: string): Promise<readonly BeneathAnswer[]> {
  return Promise.all(
    ROOTS.map(async (root) => {
      const path = `${root}/${MISTYPED}`;
      const answer = await target.get(path, { 'x-api-key': key }).catch(() => null);
      return { path, answer: answer && { status: answer.status, body: answer.body } };
    }),
  );
}
