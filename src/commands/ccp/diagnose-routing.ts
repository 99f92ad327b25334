/** What `ccp doctor` looks at that decides where requests go: licence, providers, policy. */
import { refuseOwnListener } from '../../ccp.ts';
import type { LoadedCcp } from '../../config/ccp-settings.ts';
import {
  judgeLicense,
  type LicenseState,
  REASONS,
  sentenceOf,
  ZAI_OFFLOAD,
} from '../../config/open-license.ts';
import { lookAtPolicyCache } from '../../config/open-policy.ts';
import { attempt, type Finding } from './finding.ts';
import { openRoutingNow } from './load.ts';

export function checkLicense(loaded: LoadedCcp): Finding[] {
  const state = judgeLicense(loaded, Date.now());
  if (!state.ok) {
    const level = state.reason === 'none' ? 'note' : 'problem';
    return [{ level, what: whatIsMissing(state), remedy: REASONS[state.reason].remedy }];
  }
  const { plan, features, expiresAt, source } = state;
  const until = new Date(expiresAt).toISOString();
  const granted = features.join(' ') || 'no features';
  return [
    { level: 'ok', what: `licence: plan ${plan}, ${granted} until ${until} (${source})` },
    ...(features.includes(ZAI_OFFLOAD) ? [] : [WITHOUT_ZAI]),
  ];
}

const WITHOUT_ZAI: Finding = {
  level: 'note',
  what: `the licence does not grant ${ZAI_OFFLOAD}: haiku goes to Anthropic (license_block)`,
  remedy: `If it should, ask whoever issued it for one with the feature ${ZAI_OFFLOAD}, spelled so.`,
};

function whatIsMissing({ reason, detail, source }: Exclude<LicenseState, { ok: true }>): string {
  const why = sentenceOf({ reason, detail });
  return reason === 'none'
    ? `${why}: haiku goes to Anthropic (license_block)`
    : `licence of ${source}: ${why}`;
}

export async function checkRouting(loaded: LoadedCcp): Promise<Finding[]> {
  const ignored: string[] = [];
  const log = { info: () => {}, warn: (text: string) => void ignored.push(text), error: () => {} };
  const opened = await attempt(() => openRoutingNow(loaded, log));
  if (!opened.ok) return [opened.finding];
  await using routing = opened.value;
  const providers = routing.providers();
  const upstreams = await attempt(() => refuseOwnListener(providers, loaded.settings.port));
  const keyless = providers.flatMap(({ id, auth }) =>
    auth.kind === 'key' && auth.key === null ? { id, env: auth.env } : [],
  );
  return [
    ...ignored.map((what): Finding => ({ level: 'note', what })),
    ...(routing.paused() ? [PAUSED] : []),
    ...noteOverride(routing.override(), loaded),
    ...keyless.map(
      ({ id, env }): Finding => ({
        level: 'note',
        what: `${id} has no key: what would go there goes to its fallback (no_credential)`,
        remedy: `Set ${env}, best in ${loaded.paths.settingsFile}.`,
      }),
    ),
    upstreams.ok
      ? { level: 'ok', what: `providers: ${providers.map(({ id }) => id).join(', ')}` }
      : upstreams.finding,
  ];
}

const PAUSED: Finding = {
  level: 'note',
  what: 'the proxy starts paused (OFFLOAD_PAUSED): everything goes to Anthropic, licence or not',
  remedy: 'Unset OFFLOAD_PAUSED, or run "ccp offload resume" after each start.',
};

function noteOverride(model: string | null, { settings, paths }: LoadedCcp): Finding[] {
  if (model === null) return [];
  const [source, remedy] =
    settings.model === null
      ? [paths.modelFile, '"ccp model --clear" ends that.']
      : ['CCP_MODEL', 'Unset CCP_MODEL where "ccp serve" runs, and restart it.'];
  return [{ level: 'note', what: `every request is routed as ${model} (${source})`, remedy }];
}

/** The key must be there; that the cached pack is of no use is no problem as long as a server has another. */
export async function checkPolicy(loaded: LoadedCcp): Promise<Finding[]> {
  const { policyUrl } = loaded.settings;
  if (policyUrl === null) return [];
  const look = await attempt(() => lookAtPolicyCache(loaded, Date.now()));
  if (!look.ok) return [look.finding];
  if (look.value === null)
    return [{ level: 'note', what: `no policy pack of ${policyUrl} was taken over yet` }];
  if (!look.value.usable)
    return [{ level: 'note', what: `the cached policy pack does not count: ${look.value.why}` }];
  return [{ level: 'ok', what: `policy pack of version ${look.value.pack.version} in the cache` }];
}
