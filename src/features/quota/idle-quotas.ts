/**
 * Quotas that are most likely not what was meant, whatever is sent: a lane or a model that was mistyped looks like one that
 * is never full.
 */
import { globsOverlap } from '../../protocol/glob.ts';
import type { LoadedQuotas } from './load-quotas.ts';
import { isCapped, type QuotaDefinition } from './parse-quotas.ts';

/** A lane that there is, and globs of all models that may be sent there. */
export interface OpenLane {
  readonly lane: string;
  readonly globs: readonly string[];
}

/** More would hide the sentence. */
const MOST_NAMED = 3;

/**
 * What an operator should know of them, a sentence each without its full stop. `source` is where they come from; `seenOn`
 * gives the models that came through a lane lately, none where nobody knows.
 */
export function idleQuotas(
  definitions: LoadedQuotas['definitions'],
  source: string,
  lanes: readonly OpenLane[],
  seenOn: (lane: string) => readonly string[],
): readonly string[] {
  return definitions.flatMap((definition) => {
    const quota = `the quota for "${definition.model}" on lane ${definition.lane} in ${source}`;
    const trouble = whyIdle(definition, lanes) ?? whyUnseen(definition, seenOn(definition.lane));
    const said = [trouble, capTrouble(definition), percentTrouble(definition)];
    return said.filter((one) => one !== null).map((one) => `${quota} ${one}`);
  });
}

function whyIdle({ model, lane }: QuotaDefinition, lanes: readonly OpenLane[]): string | null {
  const names = [...new Set(lanes.map((one) => one.lane))];
  const idle = 'counts nothing new';
  if (!names.includes(lane)) return `${idle}: there is no lane ${lane} (there are ${names.join(', ')})`;
  const globs = lanes.filter((one) => one.lane === lane).flatMap((one) => one.globs);
  if (globs.some((glob) => globsOverlap(glob, model))) return null;
  const routes = globs.length === 0 ? 'none' : globs.map((glob) => `"${glob}"`).join(', ');
  return `${idle}: no route leads such a model there (its routes: ${routes})`;
}

function whyUnseen({ matches }: QuotaDefinition, seen: readonly string[]): string | null {
  if (seen.length === 0 || seen.some((model) => matches(model))) return null;
  const more = seen.length > MOST_NAMED ? ` and ${seen.length - MOST_NAMED} more` : '';
  return `has counted nothing: none of the models seen there so far matches (${seen.slice(0, MOST_NAMED).join(', ')}${more})`;
}

function capTrouble({ rolling, weekly }: QuotaDefinition): string | null {
  return isCapped(rolling) || isCapped(weekly) ? null : 'has no cap: it counts, and never warns or blocks';
}

/** Per cent that were written as a share of one. */
function percentTrouble({ warnPct, blockPct }: QuotaDefinition): string | null {
  if (blockPct <= 1) return `has block_pct ${blockPct}, which is ${blockPct}%: all of a cap is 100`;
  return warnPct <= 1 ? `has warn_pct ${warnPct}, which is ${warnPct}%: all of a cap is 100` : null;
}
