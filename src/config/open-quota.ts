/** The quotas from loaded settings: the same for the proxy and for the commands that only look. */
import { type LoadedQuotas, loadQuotas } from '../features/quota/load-quotas.ts';
import { parseQuotas } from '../features/quota/parse-quotas.ts';
import { createQuota, type Quota, type QuotaOptions } from '../features/quota/quota.ts';
import type { LoadedCcp } from './ccp-settings.ts';

/** The quota feature of the proxy. Throws `CONFIG` where the file that counts is wrong. */
export function openQuota(
  { settings, quotaFiles, trust }: LoadedCcp,
  ports: Pick<QuotaOptions, 'store' | 'lanes' | 'clock' | 'log'>,
): Quota {
  return createQuota({ ...ports, files: quotaFiles, alsoWatch: [trust.path], mode: settings.rerouteMode });
}

/** What the file that counts says now. Throws `CONFIG` where it is wrong. */
export const lookAtQuotas = ({ quotaFiles }: LoadedCcp): LoadedQuotas => loadQuotas(quotaFiles);

export { parseQuotas };
