/** The quotas from loaded settings: the same for the proxy and for the commands that only look. */
import { forgottenOnRestart } from '../features/quota/forgotten.ts';
import { idleOf, idleQuotas, type OpenLane } from '../features/quota/idle-quotas.ts';
import { type LoadedQuotas, loadQuotas } from '../features/quota/load-quotas.ts';
import { parseQuotas, WEEK_MS } from '../features/quota/parse-quotas.ts';
import { createQuota, type Quota, type QuotaOptions } from '../features/quota/quota.ts';
import { createSeenModels } from '../features/quota/seen-models.ts';
import type { ProviderRow } from '../features/routing/describe.ts';
import type { Routing } from '../features/routing/routing.ts';
import type { LoadedCcp } from './ccp-settings.ts';
import { nearestName } from './nearest-name.ts';
import { NAMED_MODELS } from './open-prices.ts';

/** The quota feature of the proxy. Throws `CONFIG` where the file that counts is wrong. */
export function openQuota(
  loaded: LoadedCcp,
  ports: Pick<QuotaOptions, 'store' | 'lanes' | 'clock' | 'log'>,
): Quota {
  const { settings, quotaFiles, trust } = loaded;
  return createQuota({
    ...ports,
    known: KNOWN,
    files: quotaFiles,
    alsoWatch: [trust.path],
    mode: settings.rerouteMode,
    keptDays: keptDays(loaded),
  });
}

/** What a slip in a quota's lane or glob is found by. */
export const KNOWN = { knownModels: NAMED_MODELS, nearestName };

/** How many days exchanges are kept; null where none is. */
export const keptDays = ({ settings: { persist, sampleTtlDays } }: LoadedCcp): number | null =>
  persist ? sampleTtlDays : null;

/** The lanes of these providers, with the globs of all that they may get: also what they take over from others. */
export function openLanes(routing: Pick<Routing, 'describe' | 'override'>): readonly OpenLane[] {
  const rows = routing.describe();
  // Then every model goes where that one does.
  const everything = routing.override() === null ? [] : ['*'];
  const globsOf = ({ routes, policy_routes }: ProviderRow): readonly string[] => [
    ...routes,
    ...policy_routes,
  ];
  return rows.map((row) => {
    const takenOver = rows.filter(({ fallback }) => fallback.includes(row.id)).flatMap(globsOf);
    return { lane: row.lane, globs: [...new Set([...globsOf(row), ...takenOver, ...everything])] };
  });
}

/** What the file that counts says now. Throws `CONFIG` where it is wrong. */
export const lookAtQuotas = ({ quotaFiles }: LoadedCcp): LoadedQuotas => loadQuotas(quotaFiles);

export { createSeenModels, forgottenOnRestart, idleOf, idleQuotas, parseQuotas, WEEK_MS };
