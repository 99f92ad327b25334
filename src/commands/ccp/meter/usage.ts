/** `ccp usage`: what was used, by model and lane, and what it cost. */
import {
  DIVERSIONS_PATH,
  type DiversionsAnswer,
  diversionsAnswer,
  type Totals,
  USAGE_PATH,
  type UsageAnswer,
  usageAnswer,
} from '../../../config/usage-answers.ts';
import { EXIT } from '../../../errors.ts';
import { type Host, plain, printJson, type Screen } from '../../shared/host.ts';
import { hanging } from '../../shared/table.ts';
import { watchUntilInterrupted } from '../../shared/watch.ts';
import { warnOfFuture } from '../future.ts';
import { load } from '../load.ts';
import { askMeter } from './ask-meter.ts';
import { diversionNotes } from './diversion-notes.ts';
import { amountOf, clockTime, compact } from './figures.ts';
import { banner, emptyText, type Named, shortNames, shown, storeLine, totalsTable } from './usage-text.ts';

export interface UsageOptions {
  /** As the endpoint takes it. */
  readonly since: string;
  readonly banner: boolean;
  readonly watching: boolean;
  readonly json: boolean;
}

/** Exit 3 where the store is in trouble: then no sum is what was used. One that is switched off is the operator's choice. */
export async function usage(
  host: Host,
  { since, banner: asBanner, watching, json }: UsageOptions,
): Promise<number> {
  const loaded = load(host);
  warnOfFuture(host, since);
  const query = new URLSearchParams({ since }).toString();
  const ask = (): Promise<UsageAnswer> => askMeter(loaded, `${USAGE_PATH}?${query}`, usageAnswer);
  const askWhy = (): Promise<DiversionsAnswer> =>
    askMeter(loaded, `${DIVERSIONS_PATH}?${query}`, diversionsAnswer);
  const pageFor = async (answer: UsageAnswer): Promise<string> =>
    asBanner ? banner(answer, rangeOf(since, answer)) : pageOf(host, answer, await askWhy());
  if (watching) return watchUntilInterrupted(host, async () => pageFor(await ask()));
  const answer = await ask();
  if (json) printJson(host, { ...answer, diverted: await askWhy() });
  else host.out.write(await pageFor(answer));
  return answer.store.ok ? EXIT.ok : EXIT.notReady;
}

const rangeOf = (since: string, answer: UsageAnswer): string =>
  /^-\d+[smhd]$/.test(since) ? since.slice(1) : `since ${clockTime(answer.since)}`;

function pageOf(
  { out }: Host,
  { since, total, models, other_models, lanes, store }: UsageAnswer,
  diverted: DiversionsAnswer,
): string {
  const from = `since ${clockTime(since)}`;
  const used = Object.entries(models).filter(([, { requests }]) => requests > 0);
  if (used.length === 0) return `${emptyText(store)} ${from}.\n${storeLine(out, store)}`;
  const sums: readonly Named[] = [
    ...(other_models === null ? [] : [['(others)', other_models] as const]),
    ['total', total],
  ];
  const notes = [
    hanging(out, '', '', 'Cost: at list prices. Saved: what the same tokens cost at Anthropic, less that.'),
    ...(total.unpriced_tokens === 0 ? [] : unpricedNotes(out, total, models)),
    ...(total.uncounted === 0 ? [] : uncountedNotes(out, total, models)),
    ...(other_models === null
      ? []
      : [hanging(out, '', '', '(others): the models beyond the most used, summed.')]),
  ];
  return [
    `${out.paint('bold', `Used ${plain(from)}`)}\n\n`,
    totalsTable(out, 'model', shortNames(used), sums),
    '\n',
    totalsTable(out, 'lane', Object.entries(lanes)),
    '\n',
    ...diversionNotes(out, diverted, total),
    ...notes.map((note) => out.paint('dim', note)),
    storeLine(out, store),
  ].join('');
}

/** More would be a page of its own; they are the busiest. */
const MOST_PLACES = 3;

/** What a price would have to be set for: model, lane and kinds. */
const unpricedNotes = (screen: Screen, total: Totals, models: UsageAnswer['models']): string[] =>
  placeNotes(screen, models, {
    heading: `${compact(total.unpriced_tokens)} tokens have no known price; set one in a file (docs/usage.md):`,
    say: ({ unpriced_kinds }) => unpriced_kinds.join(', '),
  });

/** Where an upstream did not say what it used, or its client did not wait for that. */
const uncountedNotes = (screen: Screen, total: Totals, models: UsageAnswer['models']): string[] =>
  placeNotes(screen, models, {
    heading: `Not all tokens were counted of ${amountOf(total.uncounted, 'request')} (docs/usage.md):`,
    say: ({ uncounted }) => (uncounted === 0 ? '' : compact(uncounted)),
  });

/** The models and lanes of which `say` has something to say. */
function placeNotes(
  screen: Screen,
  models: UsageAnswer['models'],
  { heading, say }: { readonly heading: string; readonly say: (totals: Totals) => string },
): string[] {
  const places = Object.entries(models).flatMap(([model, { lanes }]) =>
    Object.entries(lanes)
      .map(([lane, totals]) => ({ place: `${shown(model)} on lane ${lane}`, said: say(totals) }))
      .filter(({ said }) => said !== '')
      .map(({ place, said }) => `${place} (${said})`),
  );
  const more = places.length - MOST_PLACES;
  return [
    hanging(screen, '', '', heading),
    ...places.slice(0, MOST_PLACES).map((place) => hanging(screen, '  ', '    ', plain(place))),
    ...(more > 0 ? [`  and ${more} more, in --json\n`] : []),
  ];
}
