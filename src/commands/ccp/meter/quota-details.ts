/** All that is known of each quota, a fact a line, as text for a screen. */
import type { QuotaAnswer, QuotasAnswer } from '../../../config/usage-answers.ts';
import { plain, type Screen } from '../../shared/host.ts';
import { hanging } from '../../shared/table.ts';
import { amountOf, compact, percent, span } from './figures.ts';
import { caveats, IDLE_TEXTS, liftLine } from './quota-text.ts';

/** Everything that is known of each quota. */
export function quotasInDetail(screen: Screen, state: QuotasAnswer): string {
  const details = state.quotas.map((one) => quotaDetails(screen, one)).join('\n');
  return caveats(screen, state) + details + liftLine(screen, state);
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
  ];
  const lines = facts.map(([name, value]) =>
    hanging(screen, `  ${name.padEnd(9)}  `, ' '.repeat(13), plain(value)),
  );
  const heading = hanging(screen, '', '    ', plain(`${quota.model} on lane ${quota.lane}`));
  return heading.replaceAll(/.+/g, (line) => screen.paint('bold', line)) + lines.join('');
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
  if (gap_samples === 0 && warn_pct_auto === null)
    return 'nothing yet: no window of the provider was used up';
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
