/** The limits that upstreams really have: what they say of them and what is left alone for it, as text for a screen. */
import type { LimitsAnswer, QuotasAnswer } from '../../../config/usage-answers.ts';
import { plain, type Screen } from '../../shared/host.ts';
import { hanging } from '../../shared/table.ts';
import { clockTime, compact, percent } from './figures.ts';

/** Lanes that are left alone now, and what each upstream last said of its own limits, each on a line of its own. */
export function limitLines(screen: Screen, { cooldowns, provider_limits }: QuotasAnswer): string {
  const cooling = cooldowns.map(
    ({ lane, key, until, stated }) =>
      `${lane}: ${key} is left alone until ${clockTime(until)} (${WHO_SAID[stated]})`,
  );
  const said = provider_limits.map((limits) => `${limits.lane} says of itself: ${limitsText(limits)}`);
  return [...cooling, ...said].map((line) => hanging(screen, '', '  ', plain(line))).join('');
}

const WHO_SAID: Readonly<Record<QuotasAnswer['cooldowns'][number]['stated'], string>> = {
  retry_after: 'as it asked',
  reset: 'when its limit is reset, as it said',
  default: 'it did not say how long',
  implausible: 'the time that it named is over or more than 31 days ahead',
};

/** The windows of an upstream and its last refusal, on one line. */
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
