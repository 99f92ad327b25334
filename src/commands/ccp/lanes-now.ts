import type { LoadedCcp } from '../../config/ccp-settings.ts';
import { applyCachedPolicy } from '../../config/open-policy.ts';
import { openLanes } from '../../config/open-quota.ts';
import { OperatorError } from '../../errors.ts';
import { openRoutingNow } from './load.ts';

const SILENT = { info: () => {}, warn: () => {}, error: () => {} };

/** The lanes as the proxy would have them; null where routing can't be opened, which "ccp doctor" has a finding for. */
export async function lanesNow(loaded: LoadedCcp): Promise<ReturnType<typeof openLanes> | null> {
  try {
    await using routing = openRoutingNow(loaded, SILENT);
    applyCachedPolicy(routing, loaded, Date.now());
    return openLanes(routing);
  } catch (error) {
    if (error instanceof OperatorError) return null;
    throw error;
  }
}
