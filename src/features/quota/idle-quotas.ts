/**
 * Quotas that are most likely not what was meant, whatever is sent: a lane or a model that was mistyped looks like one that
 * is never full.
 */
import { compileGlob, globsOverlap } from '../../protocol/glob.ts';
import type { Idle } from '../../protocol/quota-view.ts';
import { meantGlob, type NearestName } from './meant-glob.ts';
import { isCapped, type QuotaDefinition } from './parse-quotas.ts';

/** A lane that there is, and globs of all models that may be sent there. */
export interface OpenLane {
  readonly lane: string;
  readonly globs: readonly string[];
}

/** What quotas are held against. */
export interface Surroundings {
  readonly lanes: readonly OpenLane[];
  /** The models that came through a lane lately; null where not all of them are known. */
  readonly seenOn: (lane: string) => readonly string[] | null;
  /** Names of models that there are, whether they ever came or not. */
  readonly knownModels: readonly string[];
  readonly nearestName: NearestName;
}

/** More would hide the sentence. */
const MOST_NAMED = 3;

/**
 * What an operator should know of them, a sentence each without its full stop. `source` is where they come from.
 */
export const idleQuotas = (
  definitions: readonly QuotaDefinition[],
  source: string,
  around: Surroundings,
): readonly string[] =>
  definitions.flatMap((definition) => {
    const quota = `the quota for "${definition.model}" on lane ${definition.lane} in ${source}`;
    const said = [whyIdle(definition, around)?.why(), capTrouble(definition), percentTrouble(definition)];
    return said.flatMap((one) => (one === null || one === undefined ? [] : [`${quota} ${one}`]));
  });

/** Why a quota counts nothing; null where it may. */
export const idleOf = (definition: QuotaDefinition, around: Surroundings): Idle | null =>
  whyIdle(definition, around)?.idle ?? null;

interface Why {
  readonly idle: Idle;
  /** Its words: what was meant is looked for only where somebody reads it. */
  readonly why: () => string;
}

function whyIdle(definition: QuotaDefinition, around: Surroundings): Why | null {
  const { model, lane } = definition;
  const names = [...new Set(around.lanes.map((one) => one.lane))];
  if (!names.includes(lane)) {
    const there = `there is no lane ${lane} (there are ${names.join(', ')})`;
    const meant = (): string => didYouMean(around.nearestName(lane, names));
    return { idle: 'no_lane', why: () => `counts nothing: ${there}${meant()}` };
  }
  const globs = around.lanes.filter((one) => one.lane === lane).flatMap((one) => one.globs);
  // Those that are known first: clients may make up more names than are looked at.
  const meant = (): string =>
    didYouMean(
      meantGlob(
        model,
        [...routed(around.knownModels, globs), ...(around.seenOn(lane) ?? [])],
        around.nearestName,
      ),
    );
  if (!globs.some((glob) => globsOverlap(glob, model))) {
    const why = `no route leads such a model there (${routesText(globs)})`;
    return { idle: 'no_route', why: () => `counts nothing: ${why}${meant()}` };
  }
  const unmatched = whyUnmatched(definition, globs, around, meant);
  return unmatched === null ? null : { idle: 'no_match', why: () => `${unmatched}${meant()}` };
}

const routed = (models: readonly string[], globs: readonly string[]): readonly string[] => {
  const routes = globs.map(compileGlob);
  return models.filter((model) => routes.some((leads) => leads(model)));
};

const routesText = (globs: readonly string[]): string =>
  `its routes: ${globs.length === 0 ? 'none' : globs.map((glob) => `"${glob}"`).join(', ')}`;

const didYouMean = (meant: string | null): string => (meant === null ? '' : `: did you mean "${meant}"?`);

/**
 * Why it counts nothing although a route leads there. A glob may leave room for a name that nobody ever gave a model:
 * "*opus*" and "*haiku*" have some in common.
 */
function whyUnmatched(
  { lane, matches }: QuotaDefinition,
  globs: readonly string[],
  { seenOn, knownModels }: Surroundings,
  meant: () => string,
): string | null {
  const seen = seenOn(lane);
  if (seen === null || seen.some((model) => matches(model))) return null;
  const known = knownModels.filter((model) => matches(model));
  if (routed(known, globs).length > 0) return null;
  if (seen.length > 0)
    return `has counted nothing: none of the models seen there so far matches (${namesText(seen)})`;
  const what = 'most likely counts nothing: of the models that ccp knows';
  if (known.length === 0) return meant() === '' ? null : `${what}, none matches`;
  return `${what}, those that match (${namesText(known)}) have no route there (${routesText(globs)})`;
}

/** In quotes, and what is no letter in them escaped: a client chose them. */
const namesText = (names: readonly string[]): string => {
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return `${names
    .slice(0, MOST_NAMED)
    .map((name) => JSON.stringify(name))
    .join(', ')}${more}`;
};

function capTrouble({ rolling, weekly }: QuotaDefinition): string | null {
  return isCapped(rolling) || isCapped(weekly) ? null : 'has no cap: it counts, and never warns or blocks';
}

/** Per cent that were most likely written as a share of one. */
function percentTrouble({ warnPct, blockPct }: QuotaDefinition): string | null {
  if (blockPct === 1) return 'has block_pct 1, which is 1%: did you mean 100?';
  return warnPct === 1 ? 'has warn_pct 1, which is 1%: did you mean 100?' : null;
}
