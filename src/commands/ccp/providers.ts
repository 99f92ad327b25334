import type { CcpFlags } from '../../config/ccp-settings.ts';
import { applyCachedPolicy, type CacheLook } from '../../config/open-policy.ts';
import type { ProviderRow } from '../../config/open-routing.ts';
import { EXIT } from '../../errors.ts';
import { type Host, plain, printJson } from '../shared/host.ts';
import { commandLog, load, openRoutingNow } from './load.ts';

export interface ProvidersOptions {
  readonly json: boolean;
  readonly flags: CcpFlags;
}

/** `ccp providers`: the wiring as the proxy would use it, keys only as set or not set. */
export async function providers(host: Host, { json, flags }: ProvidersOptions): Promise<number> {
  const loaded = load(host, flags);
  await using routing = openRoutingNow(loaded, commandLog(host));
  const policy = applyCachedPolicy(routing, loaded, Date.now());
  const rows = routing.describe();
  if (json) {
    printJson(host, {
      providers: rows,
      policy: policyFacts(policy),
      model_override: routing.override(),
      offload_paused: routing.paused(),
    });
    return EXIT.ok;
  }
  for (const row of rows) host.out.write(block(host, row));
  if (policy !== null) host.out.write(`${plain(policySentence(policy))}\n`);
  const override = routing.override();
  if (override !== null)
    host.out.write(`Every request is routed as ${override} ("ccp model --clear" ends that).\n`);
  if (routing.paused()) host.out.write('Offload is paused: everything goes to Anthropic.\n');
  return EXIT.ok;
}

/** The cached policy pack; null where none is configured or cached. */
function policyFacts(look: CacheLook | null): object | null {
  if (look === null) return null;
  return look.usable
    ? { source: 'cache', version: look.pack.version, reason: null }
    : { source: 'embedded', version: null, reason: look.refusal.reason };
}

const policySentence = (look: CacheLook): string =>
  look.usable
    ? `The policy is version ${look.pack.version}, from the cache ("ccp policy show" asks the proxy).`
    : `The policy pack in the cache does not count: ${look.why}`;

/** A few short lines a provider: a table of all this would not fit a screen. */
function block(
  { out }: Host,
  {
    id,
    lane,
    base_url,
    moved_from,
    auth,
    h2,
    routes,
    policy_routes,
    fallback,
    feature,
    licensed,
    rewrite_model,
    source,
  }: ProviderRow,
): string {
  const credential =
    auth === null
      ? "the client's own credentials"
      : `${auth.env} (${auth.set ? 'set' : 'not set'}) as ${auth.header_mode}`;
  const facts = [
    ['base URL', moved_from === null ? base_url : `${base_url} (by the policy, instead of ${moved_from})`],
    ['lane', lane],
    ['credential', credential],
    ['licence', feature === null ? 'none needed' : `${feature} (${licensed ? 'granted' : 'not granted'})`],
    ['HTTP/2', h2 ? 'where offered' : 'no'],
    ['routes', routes.join(' ') || 'none'],
    ...(policy_routes.length === 0 ? [] : [['by policy', policy_routes.join(' ')]]),
    ['fallback', fallback.join(' ') || 'none'],
    [
      'rewrites',
      Object.entries(rewrite_model)
        .map((pair) => pair.join(' → '))
        .join(', ') || 'nothing',
    ],
    ['source', source],
  ];
  const lines = facts.map(([name = '', value = '']) => `  ${name.padEnd(10)}  ${plain(value)}\n`);
  return `${out.paint('bold', id)}\n${lines.join('')}`;
}
