/** What `ccp doctor` asks the proxy that runs: whether it is one, and whether it sees what this shell sees. */
import { setTimeout as delay } from 'node:timers/promises';
import type { LoadedCcp } from '../../config/ccp-settings.ts';
import { judgeLicense, reportOf } from '../../config/open-license.ts';
import { policyRemedy } from '../../config/open-policy.ts';
import { QUOTAS_PATH, type QuotasAnswer, quotasAnswer } from '../../config/usage-answers.ts';
import { OperatorError } from '../../errors.ts';
import { askProxy, proxyUrl } from './ask-proxy.ts';
import { compareQuotas } from './compare-quotas.ts';
import { compareStore } from './compare-store.ts';
import type { Finding } from './finding.ts';
import { askMeter } from './meter/ask-meter.ts';
import { earlierText } from './meter/earlier-quotas.ts';
import { askProxyState, type ProxyState } from './proxy-state.ts';

/** A proxy looks at its files once a second: what was stored just now is not seen at once. */
const CATCH_UP_MS = 1500;

/** At least one finding: the first says whether a proxy runs. `store` is what was found here of the store. */
export async function checkProxy(loaded: LoadedCcp, store: Finding): Promise<Finding[]> {
  const running = await checkHealth(loaded);
  if (running.level !== 'ok') return [running];
  let state = await askProxyState(loaded);
  if (state !== null && differs(loaded, state)) {
    await delay(CATCH_UP_MS);
    state = await askProxyState(loaded);
  }
  return [
    running,
    ...(state === null
      ? []
      : [
          ...(state.paused ? [PAUSED] : []),
          ...compareLicense(loaded, state),
          ...checkPolicy(loaded, state),
          ...compareStore(loaded, state.store, store.level === 'problem' ? store.what : null),
        ]),
    ...(await checkItsQuotas(loaded)),
  ];
}

/** Whether it counts by other quotas than its file says now, or this shell; nothing of a proxy that does not tell. */
async function checkItsQuotas(loaded: LoadedCcp): Promise<Finding[]> {
  const quotas = await askMeter(loaded, QUOTAS_PATH, quotasAnswer).catch((error: unknown) => {
    if (error instanceof OperatorError) return null;
    throw error;
  });
  if (quotas === null) return [];
  return [...checkRefused(quotas), ...(await compareQuotas(loaded, quotas))];
}

function checkRefused(quotas: QuotasAnswer): Finding[] {
  const earlier = earlierText(quotas);
  if (earlier === null) return [];
  const what = `the running proxy does not count by its quota file: ${earlier}`;
  return [
    {
      level: 'problem',
      what,
      remedy: 'Correct the file, which is read again within a second: a start would refuse it.',
    },
  ];
}

async function checkHealth(loaded: LoadedCcp): Promise<Finding> {
  const url = proxyUrl(loaded);
  const answer = await askProxy(loaded, { method: 'GET', path: '/healthz' });
  if (!answer.answered && answer.why === 'ECONNREFUSED') {
    return { level: 'note', what: `no proxy runs at ${url}`, remedy: 'Start it with "ccp serve".' };
  }
  if (!answer.answered)
    return { level: 'problem', what: `${url} does not answer as a proxy would: ${answer.why}` };
  if (answer.status === 200) return { level: 'ok', what: `a proxy serves at ${url}` };
  return {
    level: 'problem',
    what: `${url} answers /healthz with ${answer.status}`,
    remedy: 'Another program may hold the port: set CCP_PORT.',
  };
}

const differs = (loaded: LoadedCcp, { license }: ProxyState): boolean =>
  license !== null && inWords(license) !== inWords(reportOf(judgeLicense(loaded, Date.now())));

const PAUSED: Finding = {
  level: 'note',
  what: 'the running proxy is paused: everything goes to Anthropic',
  remedy: '"ccp offload resume" ends that.',
};

/** A proxy reads keys, and which source counts, at its start: it may see another licence than this shell. */
function compareLicense(loaded: LoadedCcp, state: ProxyState): Finding[] {
  const { license } = state;
  if (license === null || !differs(loaded, state)) return [];
  const here = reportOf(judgeLicense(loaded, Date.now()));
  return [
    {
      level: here.ok && !license.ok ? 'problem' : 'note',
      what: `the running proxy sees another licence than this shell: ${inWords(license)} there, ${inWords(here)} here`,
      remedy: RESTART,
    },
  ];
}

const RESTART = 'Restart "ccp serve": it started with other settings, and reads them at its start only.';

const inWords = ({ plan, features, reason }: Omit<NonNullable<ProxyState['license']>, 'ok'>): string =>
  reason === null ? `plan ${plan} (${features.join(' ') || 'no features'})` : `none that counts (${reason})`;

function checkPolicy({ settings: { policyUrl } }: LoadedCcp, { policy }: ProxyState): Finding[] {
  if (policyUrl === null || policy === null) return [];
  const { source, reason } = policy;
  if (source === 'none')
    return [{ level: 'problem', what: 'the running proxy follows no policy', remedy: RESTART }];
  if (reason === null) return [];
  const remedy = policyRemedy(reason);
  return [
    {
      level: reason === 'pending' ? 'note' : 'problem',
      what: `the running proxy has no newer policy pack: its last look failed (${reason})`,
      ...(remedy !== undefined && { remedy }),
    },
  ];
}
