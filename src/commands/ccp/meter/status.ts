/** `ccp status`: what runs, what it is ready for, what it used and what is left. */
import { z } from 'zod';
import type { LoadedCcp } from '../../../config/ccp-settings.ts';
import {
  QUOTAS_PATH,
  type QuotasAnswer,
  quotasAnswer,
  USAGE_PATH,
  type UsageAnswer,
  usageAnswer,
} from '../../../config/usage-answers.ts';
import { EXIT } from '../../../errors.ts';
import { type Host, plain, printJson } from '../../shared/host.ts';
import { hanging } from '../../shared/table.ts';
import { show, watchUntilInterrupted } from '../../shared/watch.ts';
import { askProxy, proxyUrl } from '../ask-proxy.ts';
import { load } from '../load.ts';
import { askMeter } from './ask-meter.ts';
import { span } from './figures.ts';
import { type Health, health } from './health.ts';
import { limitLines } from './limit-text.ts';
import { quotasInDetail } from './quota-details.ts';
import { quotaLines } from './quota-text.ts';
import { emptyText, storeLine, totalsTable } from './usage-text.ts';

export interface StatusOptions {
  readonly debugQuota: boolean;
  readonly watching: boolean;
  readonly json: boolean;
}

export async function status(host: Host, { debugQuota, watching, json }: StatusOptions): Promise<number> {
  const loaded = load(host);
  const look = createLook(loaded);
  if (json) {
    printJson(host, { url: proxyUrl(loaded), ...(await look()) });
    return EXIT.ok;
  }
  const page = async (): Promise<string> => pageOf(host, proxyUrl(loaded), await look(), debugQuota);
  return watching ? watchUntilInterrupted(host, page) : show(host, page);
}

const readiness = z.object({
  ready: z.boolean(),
  paused: z.boolean(),
  license: z.object({ ok: z.boolean(), plan: z.string(), reason: z.string().nullable() }),
  store: z.object({ ok: z.boolean(), reason: z.string().nullable() }).optional(),
  providers: z.record(
    z.string(),
    z.object({
      ok: z.boolean(),
      reason: z.string(),
      ms: z.number(),
      credential: z.string(),
      detail: z.string().optional(),
    }),
  ),
});

interface Look {
  readonly health: Health;
  /** Null where the proxy does not say. */
  readonly readiness: z.infer<typeof readiness> | null;
  readonly usage: UsageAnswer;
  readonly quotas: QuotasAnswer;
}

/** Each look at readiness may ask the upstreams: a page that is watched does so now and then. */
const READINESS_MS = 30_000;

function createLook(loaded: LoadedCcp): () => Promise<Look> {
  let known: Look['readiness'] = null;
  let knownAt = Number.NEGATIVE_INFINITY;
  return async () => {
    const alive = await askMeter(loaded, '/healthz', health);
    if (performance.now() - knownAt > READINESS_MS) {
      known = await askReadiness(loaded);
      knownAt = performance.now();
    }
    const [usage, quotas] = await Promise.all([
      askMeter(loaded, USAGE_PATH, usageAnswer),
      askMeter(loaded, QUOTAS_PATH, quotasAnswer),
    ]);
    return { health: alive, readiness: known, usage, quotas };
  };
}

/** Not ready is an answer, too: 503 with the same body. */
async function askReadiness(loaded: LoadedCcp): Promise<Look['readiness']> {
  const answer = await askProxy(loaded, { method: 'GET', path: '/readyz' });
  if (!answer.answered) return null;
  try {
    return readiness.parse(JSON.parse(answer.body));
  } catch {
    return null;
  }
}

function pageOf({ out }: Host, url: string, look: Look, debugQuota: boolean): string {
  const { version, uptime_s } = look.health;
  const { lanes, total, store } = look.usage;
  const { quotas } = look.quotas;
  const title = (text: string): string => `\n${out.paint('bold', text)}\n`;
  return [
    `${out.paint('bold', `ccp ${plain(version)}`)} at ${url}, up ${span(uptime_s)}\n`,
    ...(look.readiness === null ? [] : readinessLines(out, look.readiness)),
    ...takenOverLines(out, look.health),
    storeLine(out, store),
    title('Last 24 hours'),
    total.requests === 0
      ? `${emptyText(store)}.\n`
      : totalsTable(out, 'lane', Object.entries(lanes), [['total', total]]),
    title('Quotas'),
    debugQuota && quotas.length > 0 ? quotasInDetail(out, look.quotas) : quotaLines(out, look.quotas),
    limitLines(out, look.quotas),
  ].join('');
}

function readinessLines(out: Host['out'], { providers, license }: NonNullable<Look['readiness']>): string[] {
  const width = Math.max(...Object.keys(providers).map(({ length }) => length));
  const lines = Object.entries(providers).map(([id, { ok, reason, ms, credential, detail }]) => {
    const key = credential === 'missing' ? ', its key is not set' : '';
    if (ok) return `${plain(id).padEnd(width)}  ${out.paint('green', 'reached')} in ${ms} ms${key}\n`;
    const why = plain(detail === undefined ? reason : `${reason} (${detail})`);
    const line = hanging(out, `${plain(id).padEnd(width)}  `, '    ', `not reached: ${why}${key}`);
    return line.replace('not reached', out.paint('red', 'not reached'));
  });
  const licence = license.ok
    ? `plan ${plain(license.plan)}`
    : `none that counts: ${plain(license.reason ?? '?')}`;
  return [...lines, `licence: ${license.reason === 'none' ? 'none' : licence}\n`];
}

const END_OVERRIDE = 'end it by "ccp model --clear", or unset CCP_MODEL';

/** What holds before any route, from now on and not since the last look at readiness. */
function takenOverLines(out: Host['out'], { paused, model_override: model }: Health): string[] {
  return [
    ...(paused ? [`${out.paint('yellow', 'paused')}: everything goes to Anthropic\n`] : []),
    ...(model === null
      ? []
      : [hanging(out, '', '  ', `override: every request is routed as ${plain(model)} (${END_OVERRIDE})`)]),
  ];
}
