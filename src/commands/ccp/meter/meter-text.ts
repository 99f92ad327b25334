/** The pages of the meter's commands, as text for a screen. */
import type {
  LimitsAnswer,
  QuotaAnswer,
  QuotasAnswer,
  StoreState,
  Totals,
  UsageAnswer,
} from '../../../config/usage-answers.ts';
import { plain, type Screen } from '../../shared/host.ts';
import { table, wrap } from '../../shared/table.ts';
import { earlierText } from './earlier-quotas.ts';
import {
  amountOf,
  bar,
  clockTime,
  compact,
  costText,
  paintQuota,
  percent,
  savedText,
  span,
  windowName,
} from './figures.ts';

/** Why figures lack exchanges, and what to do, in sentences; nothing while the store is well. */
export function storeLine(screen: Screen, { ok, reason, remedy, pending }: StoreState): string {
  if (reason === null) return '';
  const waiting = `Waiting to be written, and not counted here: ${amountOf(pending, 'exchange')}.`;
  const missing = ok ? ['Nothing is counted here.'] : pending === 0 ? [] : [waiting];
  const text = [`store: ${reason}.`, ...missing, remedy ?? ''].join(' ').trimEnd();
  return screen.paint(ok ? 'yellow' : 'red', hanging(screen, '', '  ', plain(text)));
}

/** What is said where nothing was counted: only a store that is well knows that nothing was used. */
export const emptyText = ({ reason }: StoreState): string =>
  reason === null ? 'No requests' : 'Nothing counted';

export type Named = readonly [name: string, totals: Totals];

/** Totals a line each, busiest first, and below them `sums` where there are several. */
export function totalsTable(
  screen: Screen,
  what: string,
  entries: readonly Named[],
  sums: readonly Named[] = [],
): string {
  const sorted = entries.toSorted(
    ([, a], [, b]) => countTokens(b) - countTokens(a) || b.requests - a.requests,
  );
  const lines = entries.length > 1 ? [...sorted, ...sums] : sorted;
  const heading = [what, 'requests', 'errors', 'in', 'out', 'cache r/w', 'cost', 'saved'];
  const rows = lines.map(([name, totals]) => [name, ...figuresOf(totals)]);
  return table(screen, ...rightAligned(heading, rows));
}

function figuresOf({ requests, errors, tokens, ...money }: Totals): string[] {
  const written = tokens.cache_write_5m + tokens.cache_write_1h;
  return [
    compact(requests),
    errors === 0 ? '–' : compact(errors),
    compact(tokens.input),
    compact(tokens.output),
    `${compact(tokens.cache_read)}/${compact(written)}`,
    costText(money),
    savedText(money),
  ];
}

/** Figures end where their heading ends. */
function rightAligned(heading: readonly string[], rows: readonly string[][]): [string[], string[][]] {
  const widths = heading.map((title, column) =>
    column === 0 ? 0 : Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const align = (row: readonly string[]): string[] =>
    row.map((cell, column) => cell.padStart(widths[column] ?? 0));
  return [align(heading), rows.map(align)];
}

/** A name as it is shown: an empty one would be none. */
export const shown = (name: string): string => (name === '' ? '""' : name);

/** Names without the day of their snapshot, where that leaves them apart. */
export function shortNames<T>(entries: readonly (readonly [string, T])[]): (readonly [string, T])[] {
  const short = (name: string): string => shown(name.replace(/-20\d{6}$/, ''));
  const names = entries.map(([name]) => short(name));
  const isUnique = (name: string): boolean => names.filter((one) => one === name).length === 1;
  return entries.map(([name, value]) => [isUnique(short(name)) ? short(name) : shown(name), value]);
}

const countTokens = ({ tokens }: Totals): number =>
  Object.values(tokens).reduce((sum, count) => sum + count, 0);

/** How full each quota is: a line a quota, with both windows; in front what the figures alone would not say. */
export function quotaLines(screen: Screen, { quotas, ...state }: QuotasAnswer): string {
  if (quotas.length === 0) {
    return `No quotas are set: traffic is metered, and never held back.\n${earlierLine(screen, state)}${warningLines(screen, state)}`;
  }
  const names = quotas.map(({ model, lane }) => plain(`${model} (${lane})`));
  const standings = quotas.map((quota) => standing(quota, state.mode));
  const windows = quotas.map((quota) => [nameOf(quota.rolling), nameOf(quota.weekly)].join(''));
  const rest = longest(standings) + longest(windows) + REST_OF_LINE;
  const room = Math.max(LEAST_NAME, Math.min(screen.width, MOST_COLUMNS) - rest);
  const width = Math.min(room, longest(names));
  const lines = quotas.map((quota, index) => {
    const bars = [quota.rolling, quota.weekly].map((one) => windowText(one, screen, quota)).join('  ');
    const text = standings[index] ?? '';
    const stands = quota.idle === null ? paintQuota(screen, quota, text) : screen.paint('yellow', text);
    return `${fitted(names[index] ?? '', width)}  ${bars}  ${stands}`.trimEnd();
  });
  return caveats(screen, state) + lines.map((line) => `${line}\n`).join('');
}

/** What a person must know to read the figures. */
function caveats(screen: Screen, state: Omit<QuotasAnswer, 'quotas'>): string {
  const { mode } = state;
  const does = `Mode ${plain(mode)}: ${WHAT_MODES_DO.get(mode) ?? 'unknown to this ccp'}.\n`;
  return does + rebuildLine(screen, state) + earlierLine(screen, state) + warningLines(screen, state);
}

/** What the windows lack, and why that may last. */
function rebuildLine(
  screen: Screen,
  { rebuilding, rebuild_trouble: trouble }: Pick<QuotasAnswer, 'rebuilding' | 'rebuild_trouble'>,
): string {
  if (!rebuilding) return '';
  if (trouble === null) return 'The windows are still being rebuilt: more was used than is shown.\n';
  const text = `Quotas count only what this run of ccp has seen, as its store cannot be read: ${plain(trouble)}`;
  return screen.paint('red', hanging(screen, '', '  ', text));
}

/** That the quotas are not those of their file, a line; nothing where they are. */
export function earlierLine(screen: Screen, state: Parameters<typeof earlierText>[0]): string {
  const earlier = earlierText(state);
  return earlier === null ? '' : screen.paint('red', hanging(screen, '', '  ', `Attention: ${earlier}.`));
}

/** What is doubtful about quotas. */
export const warningLines = (screen: Screen, { warnings }: Pick<QuotasAnswer, 'warnings'>): string =>
  warnings.map((one) => screen.paint('yellow', hanging(screen, '', '  ', `warning: ${plain(one)}`))).join('');

const WHAT_MODES_DO: ReadonlyMap<string, string> = new Map([
  ['off', 'quotas only count, nothing is held back'],
  ['block', 'a full quota sends requests to the next lane, else answers 429'],
  ['hybrid', "a full quota holds nothing back, only the upstream's limit does"],
]);

const longest = (texts: readonly string[]): number => Math.max(...texts.map(({ length }) => length));

/** Where no person looks, a screen has no end. */
const MOST_COLUMNS = 120;
/** Two bars with their per cents, and what parts them. */
const REST_OF_LINE = 38;
const LEAST_NAME = 8;

const nameOf = ({ span_seconds }: QuotaAnswer['rolling']): string => windowName(span_seconds).padStart(3);

/** `5h ███████░░░  70%`; as wide without a cap. */
function windowText(window: QuotaAnswer['rolling'], screen: Screen, quota: QuotaAnswer): string {
  const { pct } = window;
  const name = nameOf(window);
  if (pct === null) return `${name} ${'no cap'.padEnd(15)}`;
  const painted = paintQuota(
    screen,
    { warn: pct >= quota.warn_pct, block: pct >= quota.block_pct },
    bar(pct),
  );
  return `${name} ${painted} ${(pct >= 999.5 ? '>999' : percent(pct)).padStart(4)}`;
}

/** What never fills is not well. */
const IDLE_TEXTS: Readonly<Record<NonNullable<QuotaAnswer['idle']>, string>> = {
  no_lane: 'counts nothing: no such lane',
  no_route: 'counts nothing: no route',
  no_match: 'has counted nothing',
};

function standing({ idle, warn, block, eta_seconds, cooldown_until }: QuotaAnswer, mode: string): string {
  if (idle !== null) return IDLE_TEXTS[idle];
  if (cooldown_until !== null) return `cooling until ${clockTime(cooldown_until)}`;
  const eta = eta_seconds === null ? '' : span(eta_seconds);
  // Where nothing is held back more comes, and nobody waits for room.
  if (block) return eta === '' || mode !== 'block' ? 'full' : `full, room in ${eta}`;
  const word = warn ? 'warn' : 'ok';
  return eta === '' ? word : `${word}, full in ${eta}`;
}

const fitted = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);

/** Lanes that are left alone now, and what each upstream last said of its own limits, each on a line of its own. */
export function limitLines(screen: Screen, { cooldowns, provider_limits }: QuotasAnswer): string {
  const cooling = cooldowns.map(
    ({ lane, key, until, stated }) =>
      `${lane}: ${key} is left alone until ${clockTime(until)} (${WHO_SAID[stated]})`,
  );
  const said = provider_limits.map((limits) => `${limits.lane} says of itself: ${limitsText(limits)}`);
  return [...cooling, ...said].map((line) => hanging(screen, '', '  ', plain(line))).join('');
}

/** A text that is wrapped at the end of the screen, its further lines behind `indent`. */
export function hanging(screen: Screen, before: string, indent: string, text: string): string {
  return wrap(text, screen.width - Math.max(before.length, indent.length))
    .map((line, index) => `${index === 0 ? before : indent}${line}\n`)
    .join('');
}

const WHO_SAID: Readonly<Record<QuotasAnswer['cooldowns'][number]['stated'], string>> = {
  retry_after: 'as it asked',
  reset: 'when its limit is reset, as it said',
  default: 'it did not say how long',
  implausible: 'the time that it named is over or more than 31 days ahead',
};

/** Everything that is known of each quota. */
export function quotasInDetail(screen: Screen, { quotas, ...state }: QuotasAnswer): string {
  return caveats(screen, state) + quotas.map((one) => quotaDetails(screen, one)).join('\n');
}

/** Everything that is known of one quota, a fact a line. */
function quotaDetails(screen: Screen, quota: QuotaAnswer): string {
  const facts: readonly (readonly [string, string])[] = [
    ...(quota.idle === null ? [] : [['doubt', IDLE_TEXTS[quota.idle]] as const]),
    ...windowFacts('rolling', quota.rolling),
    ...windowFacts('weekly', quota.weekly),
    ['limits', `warn at ${quota.warn_pct}%, block at ${quota.block_pct}%`],
    [
      'headroom',
      quota.headroom_tokens === null ? 'no cap on tokens' : `${compact(quota.headroom_tokens)} tokens`,
    ],
    [
      'under way',
      `${amountOf(quota.reserved.requests, 'request')}, about ${amountOf(quota.reserved.tokens, 'token')}`,
    ],
    ['speed', `${rate(quota.tps_elr)} while streaming, ${rate(quota.tps_dirty)} over all`],
    ['busiest', hourText(quota.peak_hour, ({ tokens }) => `${compact(tokens)} tokens`)],
    ['fastest', hourText(quota.fastest_hour, ({ tps }) => rate(tps))],
    ['learned', learned(quota)],
    ...gapFacts(quota),
    ...providerFacts(quota),
  ];
  const lines = facts.map(([name, value]) =>
    hanging(screen, `  ${name.padEnd(9)}  `, ' '.repeat(13), plain(value)),
  );
  return `${screen.paint('bold', plain(`${quota.model} on lane ${quota.lane}`))}\n${lines.join('')}`;
}

function windowFacts(
  name: string,
  { span_seconds, tokens, requests, hours }: QuotaAnswer['rolling'],
): (readonly [string, string])[] {
  const fills = [
    ['tokens', tokens, compact],
    ['requests', requests, compact],
    ['hours', hours, (value: number) => value.toFixed(2)],
  ] as const;
  const parts = fills.map(([kind, { used, cap, pct }, write]) => {
    const of = cap === null || pct === null ? '' : ` of ${write(cap)} (${percent(pct)})`;
    return `${write(used)}${of} ${write(cap ?? used) === '1' ? kind.slice(0, -1) : kind}`;
  });
  return [[name, `${span(span_seconds)}: ${parts.join(', ')}`]];
}

const rate = (tps: number | null): string => (tps === null ? '–' : `${compact(tps)} tokens/s`);

function hourText<T extends { readonly start: string }>(hour: T | null, say: (hour: T) => string): string {
  return hour === null
    ? '–'
    : `${say(hour)} in the hour from ${hour.start.slice(0, 16).replace('T', ' ')} UTC`;
}

/** What this process did not see passed, before a restart, may have been passed all the same. */
function learned({ gap_samples, warn_pct_auto, warn_pct_confidence }: QuotaAnswer): string {
  if (gap_samples === 0 && warn_pct_auto === null) return 'nothing yet: no limit of the provider was hit';
  const warnAt = warn_pct_auto === null ? 'no better warning' : `warn at ${percent(warn_pct_auto)}`;
  const hits = gap_samples === 1 ? '1 hit' : `${gap_samples} hits`;
  const known = gap_samples === 0 ? 'of no hit' : `of ${hits}`;
  return `${warnAt} (confidence ${warn_pct_confidence.toFixed(2)}; the time since the warning is known ${known})`;
}

function gapFacts({ gap_seconds_p50, gap_seconds_p95 }: QuotaAnswer): (readonly [string, string])[] {
  if (gap_seconds_p50 === null || gap_seconds_p95 === null) return [];
  return [
    [
      '',
      `from the warning to the limit ${span(gap_seconds_p50)}, in one of 20 ${span(gap_seconds_p95)} or more`,
    ],
  ];
}

function providerFacts({ provider_limits }: QuotaAnswer): (readonly [string, string])[] {
  return [
    [
      'provider',
      provider_limits === null ? 'has said nothing of its own limits' : limitsText(provider_limits),
    ],
  ];
}

function limitsText({ windows, refused, status, at }: LimitsAnswer): string {
  const parts = windows.map(({ name, used_pct, remaining, limit, resets_at }) => {
    if (resets_at !== null && Date.parse(resets_at) <= Date.now()) {
      return `${name} reset since ${clockTime(resets_at)}`;
    }
    const used = used_pct === null ? '' : ` ${percent(used_pct)} used`;
    const of = limit === null ? '' : ` of ${compact(limit)}`;
    const left = remaining === null ? '' : ` ${compact(remaining)}${of} left`;
    return `${name}${used}${left}${resets_at === null ? '' : ` until ${clockTime(resets_at)}`}`;
  });
  const last = refused === null ? [] : [`refused at ${clockTime(refused.at)} (${refused.kind})`];
  const all = [...parts, ...last];
  // The refusal is its last word, unless an answer came since.
  if (refused !== null && refused.at === at) return all.join(', ');
  return `${all.length === 0 ? (status ?? 'nothing') : all.join(', ')} (at ${clockTime(at)})`;
}

/** Everything on one line, for a shell's greeting. */
export function banner({ lanes, models, store }: UsageAnswer, range: string): string {
  const parts = Object.entries(lanes).map(([lane, totals]) => {
    const saved = totals.saved_usd === null ? '' : `, saved ${savedText(totals)}`;
    return `${lane} ${compact(totals.requests)} req ${costText(totals)}${saved}`;
  });
  const [fullest] = shortNames(Object.entries(models))
    .map(([model, { rolling_pct, weekly_pct }]) => ({
      model,
      pct: Math.max(rolling_pct ?? 0, weekly_pct ?? 0),
    }))
    .filter(({ pct }) => pct > 0)
    .toSorted((a, b) => b.pct - a.pct);
  const quota = fullest === undefined ? [] : [`${fullest.model} quota ${percent(fullest.pct)}`];
  const nothing = store.reason === null ? 'nothing used' : 'nothing counted';
  const used = parts.length === 0 ? [nothing] : parts;
  return `${plain(`ccp ${range}: ${[...used, ...quota, ...storeWords(store)].join(' · ')}`)}\n`;
}

const storeWords = ({ ok, reason }: StoreState): string[] =>
  reason === null ? [] : [ok ? `store ${reason}` : 'store in trouble'];
