/** Whether the proxy that runs with these settings counts by the quotas, and in the mode, that this shell has. */
import type { LoadedCcp } from '../../config/ccp-settings.ts';
import { lookAtQuotas } from '../../config/open-quota.ts';
import type { QuotasAnswer } from '../../config/usage-answers.ts';
import { isSameFile } from './compare-store.ts';
import { attempt, type Finding } from './finding.ts';

const SET_ALIKE =
  'Set CCP_REROUTE_MODE and CCP_QUOTAS_FILE here as where "ccp serve" was started, or restart it with these.';

/** Nothing where they are the same; nothing of files where what this shell has cannot be read, which is a finding of its own. */
export async function compareQuotas(
  loaded: LoadedCcp,
  { mode, file, quotas }: QuotasAnswer,
): Promise<Finding[]> {
  const { rerouteMode } = loaded.settings;
  const note = (what: string, there: string, here: string): Finding => ({
    level: 'note',
    what: `the running proxy ${what} than this shell: ${there} there, ${here} here`,
    remedy: SET_ALIKE,
  });
  const look = await attempt(() => lookAtQuotas(loaded));
  const there = file ?? (quotas.length === 0 ? null : SENT);
  return [
    ...(mode === rerouteMode ? [] : [note('is in another mode', mode, rerouteMode)]),
    ...(look.ok && !isSame(there, look.value.file)
      ? [note('has other quotas', there ?? 'none', look.value.file ?? 'none')]
      : []),
  ];
}

const SENT = 'those of "ccp quotas reload FILE"';

const isSame = (there: string | null, here: string | null): boolean =>
  there === here || (there !== null && here !== null && isSameFile(there, here));
