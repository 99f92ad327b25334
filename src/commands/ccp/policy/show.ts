import type { LoadedCcp } from '../../../config/ccp-settings.ts';
import { type CacheLook, lookAtPolicyCache } from '../../../config/open-policy.ts';
import { EXIT } from '../../../errors.ts';
import { type Host, plain, printJson } from '../../shared/host.ts';
import { table } from '../../shared/table.ts';
import { proxyUrl } from '../ask-proxy.ts';
import { load } from '../load.ts';
import { askProxyState, type ProxyState } from '../proxy-state.ts';
import { packFacts, packRows } from './facts.ts';

type ProxyPolicy = NonNullable<ProxyState['policy']>;

/** `ccp policy show`: what lies in the cache, and what the proxy that runs with these settings has in effect. */
export async function showPolicy(host: Host, { json }: { readonly json: boolean }): Promise<number> {
  const loaded = load(host);
  const cached = lookAtPolicyCache(loaded, Date.now());
  const proxy = (await askProxyState(loaded))?.policy ?? null;
  if (json) {
    printJson(host, {
      url: loaded.settings.policyUrl,
      cache: { path: loaded.paths.policyCache, ...cacheFacts(cached) },
      proxy,
    });
    return EXIT.ok;
  }
  const { policyUrl } = loaded.settings;
  // What is in effect goes before what lies about.
  if (proxy !== null) host.out.write(`${plain(inProxy(loaded, proxy))}\n`);
  host.out.write(
    policyUrl === null ? 'CCP_POLICY_URL is not set here.\n' : `Published at ${plain(policyUrl)}.\n`,
  );
  host.out.write(`${plain(inCache(loaded, cached))}\n`);
  if (cached?.usable === true) host.out.write(table(host.out, ['fact', 'value'], packRows(cached.pack)));
  if (proxy === null) host.out.write(`No proxy at ${proxyUrl(loaded)} says what it has in effect.\n`);
  return EXIT.ok;
}

function cacheFacts(look: CacheLook | null): object {
  if (look === null) return { usable: false, reason: null };
  if (!look.usable) return { usable: false, reason: look.refusal.reason, detail: look.refusal.detail };
  return {
    usable: true,
    reason: null,
    fetched_at: new Date(look.fetchedAt).toISOString(),
    ...packFacts(look.pack),
  };
}

function inCache({ settings, paths }: LoadedCcp, look: CacheLook | null): string {
  if (settings.policyUrl === null)
    return 'A cached pack counts only for the address that it came from: none is shown.';
  if (look === null) return `There is no pack in ${paths.policyCache}.`;
  if (!look.usable) return `The pack in ${paths.policyCache} does not count: ${look.why}`;
  return `In the cache since ${new Date(look.fetchedAt).toISOString()}, verified now:`;
}

function inProxy(loaded: LoadedCcp, proxy: ProxyPolicy): string {
  const url = proxyUrl(loaded);
  const { source, version, age_s, reason } = proxy;
  if (source === 'none') return `The proxy at ${url} has no policy configured.`;
  const trouble = reason === null ? '' : ` The last look failed: ${reason}.`;
  if (version === null) return `The proxy at ${url} routes by the embedded default.${trouble}`;
  return `The proxy at ${url} has version ${version} in effect (${source}, ${age_s} s old).${trouble}`;
}
