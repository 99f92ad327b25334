import { z } from 'zod';
import type { LoadedCcp } from '../../config/ccp-settings.ts';
import { type CacheLook, lookAtPolicyCache } from '../../config/open-policy.ts';
import { EXIT } from '../../errors.ts';
import { type Host, plain, printJson } from '../shared/host.ts';
import { table } from '../shared/table.ts';
import { askProxy, proxyUrl } from './ask-proxy.ts';
import { load } from './load.ts';
import { packFacts, packRows } from './policy-facts.ts';

/** What `/readyz` says of the policy. */
const answerSchema = z.object({
  policy: z.object({
    source: z.string(),
    version: z.number().nullable(),
    age_s: z.number().nullable(),
    reason: z.string().nullable(),
  }),
});

type ProxyPolicy = z.infer<typeof answerSchema>['policy'];

/** `ccp policy show`: what lies in the cache, and what the proxy that runs with these settings has in effect. */
export async function showPolicy(host: Host, { json }: { readonly json: boolean }): Promise<number> {
  const loaded = load(host);
  const cached = lookAtPolicyCache(loaded, Date.now());
  const proxy = await askForPolicy(loaded);
  if (json) {
    printJson(host, {
      url: loaded.settings.policyUrl,
      cache: { path: loaded.paths.policyCache, ...cacheFacts(cached) },
      proxy,
    });
    return EXIT.ok;
  }
  const { policyUrl } = loaded.settings;
  host.out.write(
    policyUrl === null ? 'CCP_POLICY_URL is not set here.\n' : `Published at ${plain(policyUrl)}.\n`,
  );
  host.out.write(`${plain(inCache(loaded, cached))}\n`);
  if (cached?.usable === true) host.out.write(table(host.out, ['fact', 'value'], packRows(cached.pack)));
  host.out.write(`${plain(inProxy(loaded, proxy))}\n`);
  return EXIT.ok;
}

/** Null where no proxy answers, or one that knows no policies. */
async function askForPolicy(loaded: LoadedCcp): Promise<ProxyPolicy | null> {
  const answer = await askProxy(loaded, { method: 'GET', path: '/readyz' });
  if (!answer.answered) return null;
  try {
    return answerSchema.parse(JSON.parse(answer.body)).policy;
  } catch {
    return null;
  }
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
  if (settings.policyUrl === null) return 'Without it no cache is read.';
  if (look === null) return `There is no pack in ${paths.policyCache}.`;
  if (!look.usable) return `The pack in ${paths.policyCache} does not count: ${look.why}`;
  return `In the cache since ${new Date(look.fetchedAt).toISOString()}, verified now:`;
}

function inProxy(loaded: LoadedCcp, proxy: ProxyPolicy | null): string {
  const url = proxyUrl(loaded);
  if (proxy === null) return `No proxy at ${url} says what it has in effect.`;
  const { source, version, age_s, reason } = proxy;
  if (source === 'none') return `The proxy at ${url} has no policy configured.`;
  const trouble = reason === null ? '' : ` The last look failed: ${reason}.`;
  if (version === null) return `The proxy at ${url} routes by the embedded default.${trouble}`;
  return `The proxy at ${url} has version ${version} in effect (${source}, ${age_s} s old).${trouble}`;
}
