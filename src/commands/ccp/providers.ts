import type { CcpFlags } from '../../config/ccp-settings.ts';
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
  await using routing = openRoutingNow(load(host, flags), commandLog(host));
  const rows = routing.describe();
  if (json) {
    printJson(host, {
      providers: rows,
      model_override: routing.override(),
      offload_paused: routing.paused(),
    });
    return EXIT.ok;
  }
  for (const row of rows) host.out.write(block(host, row));
  const override = routing.override();
  if (override !== null)
    host.out.write(`Every request is routed as ${override} ("ccp model --clear" ends that).\n`);
  if (routing.paused()) host.out.write('Offload is paused: everything goes to Anthropic.\n');
  return EXIT.ok;
}

/** A few short lines a provider: a table of all this would not fit a screen. */
function block(
  { out }: Host,
  { id, lane, base_url, auth, h2, routes, fallback, feature, licensed, rewrite_model, source }: ProviderRow,
): string {
  const credential =
    auth === null
      ? "the client's own credentials"
      : `${auth.env} (${auth.set ? 'set' : 'not set'}) as ${auth.header_mode}`;
  const facts = [
    ['base URL', base_url],
    ['lane', lane],
    ['credential', credential],
    ['licence', feature === null ? 'none needed' : `${feature} (${licensed ? 'granted' : 'not granted'})`],
    ['HTTP/2', h2 ? 'where offered' : 'no'],
    ['routes', routes.join(' ') || 'none'],
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
