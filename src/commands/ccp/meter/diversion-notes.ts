/** What went elsewhere than its route leads or was refused, why, and which command tells more or mends it. */
import type { DiversionsAnswer, UsageAnswer } from '../../../config/usage-answers.ts';
import { plain, type Screen } from '../../shared/host.ts';
import { hanging } from '../../shared/table.ts';
import { amountOf, compact } from './figures.ts';
import { shown } from './usage-text.ts';

/** More would be a page of its own; they are the most frequent. */
const MOST_SHOWN = 5;

/** Lines for a person; none where nothing was diverted. `total` is what the table beside them counts. */
export function diversionNotes(
  screen: Screen,
  { diversions, looked_at, others }: DiversionsAnswer,
  { requests }: UsageAnswer['total'],
): string[] {
  if (diversions.length === 0) return [];
  const of =
    looked_at < requests ? ` (of the newest ${compact(looked_at)} of ${amountOf(requests, 'request')})` : '';
  const rest = diversions.slice(MOST_SHOWN).reduce((sum, { count }) => sum + count, 0);
  return [
    hanging(screen, '', '', `Not sent by their route, or refused, and why${of}:`),
    ...diversions.slice(0, MOST_SHOWN).map((one) => hanging(screen, '  ', '    ', plain(textOf(one)))),
    ...(rest > 0 ? [`  and ${compact(rest)} more, in --json\n`] : []),
    ...(others > 0 ? [`  and ${compact(others)} of rarer kinds, which are only counted\n`] : []),
  ];
}

type Diversion = DiversionsAnswer['diversions'][number];

function textOf({ model, lane, decision, count, refused }: Diversion): string {
  const why = WORDS.get(decision);
  const which = model === null ? 'without a model' : shown(model);
  const end = refused === 0 ? [] : [refused === count ? 'refused' : `${compact(refused)} of them refused`];
  const parts = [decision, ...end, ...(why === undefined ? [] : [why])];
  return `${compact(count)} ${which} on ${lane}: ${parts.join(', ')}`;
}

type Reason = Exclude<Diversion['decision'], `to_${string}` | 'quota_warn_attempt'>;

/** In few words, so that a line is one on most screens; docs/usage.md has them in full. */
const WHY: Readonly<Record<Reason, string>> = {
  quota_block: 'quota used up ("ccp quota")',
  cooldown: 'lane left alone ("ccp quotas end-cooldown")',
  license_block: 'no licence ("ccp license status")',
  no_credential: 'key not set ("ccp providers")',
  offload_paused: 'paused ("ccp offload resume")',
  manual_override: 'override ("ccp model")',
  fallback_auth: 'key refused ("ccp doctor")',
  fallback_limit: 'limit hit ("ccp quota")',
  fallback_overload: 'overloaded ("ccp verify")',
  fallback_net: 'not reached or 5xx ("ccp status")',
};
const WORDS: ReadonlyMap<string, string> = new Map(Object.entries(WHY));
