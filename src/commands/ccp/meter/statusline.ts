/**
 * `ccp statusline`: one line for Claude Code's `statusLine` setting. Anthropic's windows as Claude Code itself was told
 * of them, Z.AI's as the proxy counts them. Whatever is missing or wrong, it prints a line and exits 0: an error would
 * take the line away from the person's prompt.
 */
import { styleText } from 'node:util';
import { z } from 'zod';
import { type LoadedCcp, loadCcpSettings } from '../../../config/ccp-settings.ts';
import {
  QUOTAS_PATH,
  type QuotaAnswer,
  type QuotasAnswer,
  quotasAnswer,
  USAGE_PATH,
  type UsageAnswer,
  usageAnswer,
} from '../../../config/usage-answers.ts';
import { EXIT } from '../../../errors.ts';
import { type Host, plain, printJson, type Screen, type Style } from '../../shared/host.ts';
import { patience } from '../../shared/patience.ts';
import { askProxy } from '../ask-proxy.ts';
import { clockTime, compact, percent, span, usd, windowName } from './figures.ts';
import { type Health, health, takenOver } from './health.ts';

/** Claude Code calls this often, and shows nothing while it waits. */
const PATIENCE_MS = 300;
/** Far more than it sends. */
const MAX_INPUT_BYTES = 1024 * 1024;

const used = z.object({
  used_percentage: z.number(),
  // Epoch seconds, as in the headers that it comes from; a text in case that changes.
  resets_at: z
    .union([z.number().transform((seconds) => new Date(seconds * 1000)), z.coerce.date()])
    .nullish(),
});

/** What is needed of the JSON on standard input; any part may be missing, or of a later form. */
const session = z.object({
  model: z.object({ display_name: z.string() }).nullish().catch(null),
  rate_limits: z
    .object({ five_hour: used.nullish().catch(null), seven_day: used.nullish().catch(null) })
    .nullish()
    .catch(null),
});

type Session = z.infer<typeof session>;

export async function statusline(host: Host, { json }: { readonly json: boolean }): Promise<number> {
  const [input, meter] = await Promise.all([readSession(host), readMeter(host)]);
  if (json) printJson(host, { claude_code: input, proxy: meter });
  else host.out.write(`${lineOf(inColour(host), input, meter)}\n`);
  return EXIT.ok;
}

/** Claude Code reads from a pipe, and draws colours all the same, unless the person wants none. */
function inColour({ out, env }: Host): Screen {
  const isUnwanted = (env['NO_COLOR'] ?? '') !== '' || ['0', 'false'].includes(env['FORCE_COLOR'] ?? '');
  if (out.isTerminal || isUnwanted) return out;
  return { ...out, paint: (style, text) => styleText(style, text, { validateStream: false }) };
}

function lineOf(out: Screen, input: Session, meter: Meter): string {
  return [modelPart(input), ...lanes(out, input, meter)].filter((part) => part !== null).join(' · ');
}

async function readSession({ input }: Host): Promise<Session> {
  // Typed by hand to see what it looks like: nothing would ever come.
  if (input.isTerminal) return {};
  try {
    const bytes = await input.read(MAX_INPUT_BYTES, patience(PATIENCE_MS));
    return session.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    return {};
  }
}

type Meter =
  /** Null is what was not answered: the usage may wait for a locked store, the quotas are in memory. */
  | {
      readonly state: 'told';
      readonly health: Health | null;
      readonly usage: UsageAnswer | null;
      readonly quotas: QuotasAnswer | null;
    }
  | { readonly state: keyof typeof SILENCE };

type Told = Extract<Meter, { readonly state: 'told' }>;

const SILENCE = {
  down: 'ccp is not running',
  silent: 'ccp does not answer',
  unset: 'ccp: settings are wrong ("ccp doctor")',
};

async function readMeter({ env, cwd, home }: Host): Promise<Meter> {
  let loaded: LoadedCcp;
  try {
    loaded = loadCcpSettings({ flags: {}, env, cwd, home });
  } catch {
    return { state: 'unset' };
  }
  const [alive, usage, quotas] = await Promise.all([
    ask(loaded, '/healthz', health),
    ask(loaded, USAGE_PATH, usageAnswer),
    ask(loaded, QUOTAS_PATH, quotasAnswer),
  ]);
  if (usage === 'down' && quotas === 'down') return { state: 'down' };
  const told = {
    health: typeof alive === 'string' ? null : alive,
    usage: typeof usage === 'string' ? null : usage,
    quotas: typeof quotas === 'string' ? null : quotas,
  };
  return told.usage === null && told.quotas === null ? { state: 'silent' } : { state: 'told', ...told };
}

/** What is answered; `down` where nobody listens, `silent` where it takes too long or is something else. */
async function ask<T>(loaded: LoadedCcp, path: string, schema: z.ZodType<T>): Promise<T | 'down' | 'silent'> {
  const answer = await askProxy(loaded, { method: 'GET', path, patienceMs: PATIENCE_MS });
  if (!answer.answered) return answer.why === 'ECONNREFUSED' ? 'down' : 'silent';
  if (answer.status !== 200) return 'silent';
  try {
    return schema.parse(JSON.parse(answer.body));
  } catch {
    return 'silent';
  }
}

const modelPart = ({ model }: Session): string | null =>
  model === null || model === undefined ? null : plain(model.display_name);

function lanes(out: Screen, input: Session, meter: Meter): (string | null)[] {
  if (meter.state !== 'told') return [stated(out, input), out.paint('yellow', SILENCE[meter.state])];
  const { usage, quotas } = meter;
  const metered = Object.keys(usage?.lanes ?? {});
  const counting = (quotas?.quotas ?? []).filter(mayCount);
  const watched = [...counting, ...(quotas?.cooldowns ?? [])].map(({ lane }) => lane);
  const others = [...new Set([...watched, ...metered])].filter(
    (lane) => lane !== 'anthropic' && lane !== 'none',
  );
  const { saved_usd: saved = null, saved_is_partial = false } = usage?.total ?? {};
  return [
    anthropic(out, input, meter),
    ...others.toSorted().map((lane) => counted(out, lane, meter)),
    saved === null || saved <= 0 ? null : `saved ${usd(saved)}/24h${saved_is_partial ? ' + ?' : ''}`,
    ...[...(meter.health === null ? [] : takenOver(meter.health)), ...troubles(meter)].map((word) =>
      out.paint('yellow', word),
    ),
  ];
}

function troubles({ usage, quotas }: Told): string[] {
  return [
    ...(usage === null ? ['usage: no answer'] : usage.store.ok ? [] : ['store in trouble']),
    ...(quotas === null ? ['quotas: no answer'] : quotaTroubles(quotas)),
  ];
}

function quotaTroubles({ refused, quotas }: QuotasAnswer): string[] {
  const idle = quotas.filter((quota) => !mayCount(quota)).length;
  return [
    ...(refused === null ? [] : ['quota file refused']),
    ...(idle === 0 ? [] : [idle === 1 ? '1 quota counts nothing' : `${idle} quotas count nothing`]),
  ];
}

/** Whether its lane is there, and a route leads to it. */
const mayCount = ({ idle }: QuotaAnswer): boolean => idle === null || idle === 'no_match';

/** Its own windows where they are known, with a budget of ours only once that is used up. */
function anthropic(out: Screen, input: Session, meter: Told): string | null {
  const own = stated(out, input) ?? overheard(out, meter.quotas);
  if (own === null) return counted(out, 'anthropic', meter);
  const full = fullText(out, 'anthropic', meter.quotas);
  return full === null ? own : `${own}, quota ${full}`;
}

/** The Anthropic lane, as Claude Code was told; null without a subscription. */
function stated(out: Screen, { rate_limits }: Session): string | null {
  return windowsText(out, [
    { name: '5h', pct: rate_limits?.five_hour?.used_percentage, resetsAt: rate_limits?.five_hour?.resets_at },
    { name: '7d', pct: rate_limits?.seven_day?.used_percentage, resetsAt: rate_limits?.seven_day?.resets_at },
  ]);
}

/** The same as the proxy last heard it; null where Anthropic told it no share of a window. */
function overheard(out: Screen, quotas: QuotasAnswer | null): string | null {
  const { windows = [] } = quotas?.provider_limits.find(({ lane }) => lane === 'anthropic') ?? {};
  return windowsText(
    out,
    windows.map(({ name, used_pct, resets_at }) => ({
      name,
      pct: used_pct,
      resetsAt: resets_at === null ? null : new Date(resets_at),
    })),
  );
}

interface Window {
  readonly name: string;
  readonly pct: number | null | undefined;
  readonly resetsAt: Date | null | undefined;
}

function windowsText(out: Screen, windows: readonly Window[]): string | null {
  const parts = windows.flatMap(({ name, pct, resetsAt }) => {
    if (pct === null || pct === undefined || isPast(resetsAt)) return [];
    const until =
      resetsAt instanceof Date && pct >= WARN_PCT ? ` until ${clockTime(resetsAt.toISOString())}` : '';
    return [`${plain(name)} ${painted(out, styleOf(pct), `${percent(pct)}${until}`)}`];
  });
  return parts.length === 0 ? null : `anthropic ${parts.join(' ')}`;
}

/** Of a window that was reset since it was told of, nothing is known. */
const isPast = (resetsAt: Window['resetsAt']): boolean =>
  resetsAt instanceof Date && resetsAt.getTime() <= Date.now();

/** A lane as the proxy counts it: its fullest quotas, else what it used, and what of it cools; null where nothing is known. */
function counted(out: Screen, lane: string, { usage, quotas }: Told): string | null {
  const cooling = (quotas?.cooldowns ?? []).filter((cooldown) => cooldown.lane === lane);
  const all = cooling.find(({ key }) => key === '*');
  if (all !== undefined) return `${plain(lane)} ${out.paint('red', `cooling until ${clockTime(all.until)}`)}`;
  const figures = windowsOf(out, lane, quotas) ?? tokensOf(lane, usage);
  const known = [figures, coolingText(out, cooling)].filter((text) => text !== null);
  return known.length === 0 ? null : [plain(lane), ...known].join(' ');
}

/** Not the whole lane, but the models of these quotas: the one that is back first, and how many others. */
function coolingText(out: Screen, cooldowns: QuotasAnswer['cooldowns']): string | null {
  const [first, ...others] = cooldowns.toSorted((a, b) => Date.parse(a.until) - Date.parse(b.until));
  if (first === undefined) return null;
  const more = others.length === 0 ? '' : ` + ${others.length}`;
  return out.paint('red', `(${plain(first.key)}${more} cooling until ${clockTime(first.until)})`);
}

/** Each window by its fullest quota; where quotas turn exchanges away, that alone, which is what a person must know. */
function windowsOf(out: Screen, lane: string, quotas: QuotasAnswer | null): string | null {
  const full = fullText(out, lane, quotas);
  if (full !== null) return full;
  const parts = WINDOWS.flatMap((window) => {
    const [fullest] = quotasOf(lane, quotas)
      .flatMap((quota) => (quota[window].pct === null ? [] : [{ pct: quota[window].pct, quota }]))
      .toSorted((a, b) => b.pct / b.quota.block_pct - a.pct / a.quota.block_pct);
    if (fullest === undefined) return [];
    const { pct, quota } = fullest;
    const style = pct >= quota.block_pct ? 'red' : pct >= quota.warn_pct ? 'yellow' : null;
    return [`${windowName(quota[window].span_seconds)} ${painted(out, style, percent(pct))}`];
  });
  return parts.length === 0 ? null : parts.join(' ');
}

/**
 * `5h full, room in 3h 20m`, with the quota's glob where others of the lane have room; null where none turns anything
 * away. Of several the one that has room last is told: before, not everything passes.
 */
function fullText(out: Screen, lane: string, quotas: QuotasAnswer | null): string | null {
  if (quotas?.mode !== 'block') return null;
  const mine = quotasOf(lane, quotas);
  const full = mine.filter(({ block }) => block);
  const [last] = full.toSorted((a, b) => (b.eta_seconds ?? 0) - (a.eta_seconds ?? 0));
  if (last === undefined) return null;
  const names = WINDOWS.map((window) => last[window])
    .filter(({ pct }) => pct !== null && pct >= last.block_pct)
    .map(({ span_seconds }) => windowName(span_seconds));
  const more = full.length === 1 ? '' : ` + ${full.length - 1}`;
  const which = full.length === mine.length ? '' : ` (${plain(last.model)}${more})`;
  const room = last.eta_seconds === null ? '' : `, room in ${span(last.eta_seconds)}`;
  return out.paint('red', `${names.join(' ')} full${which}${room}`);
}

const WINDOWS = ['rolling', 'weekly'] as const;

const quotasOf = (lane: string, quotas: QuotasAnswer | null): readonly QuotaAnswer[] =>
  (quotas?.quotas ?? []).filter((quota) => quota.lane === lane && mayCount(quota));

/** The same figures under the same names as in `ccp usage`, where the cache has a column of its own. */
function tokensOf(lane: string, usage: UsageAnswer | null): string | null {
  if (usage === null) return null;
  const { requests = 0, tokens = { input: 0, output: 0 } } = usage.lanes[lane] ?? {};
  if (requests === 0 && usage.store.reason !== null) return 'not counted';
  return `${compact(tokens.input)} in ${compact(tokens.output)} out/24h`;
}

/** Of what an upstream says of its own windows, for which nobody set a warning: where a person would want to know when they end. */
const WARN_PCT = 80;
const NEARLY_ALL_PCT = 95;

const styleOf = (pct: number): Style | null =>
  pct < WARN_PCT ? null : pct < NEARLY_ALL_PCT ? 'yellow' : 'red';

const painted = (out: Screen, style: Style | null, text: string): string =>
  style === null ? text : out.paint(style, text);
