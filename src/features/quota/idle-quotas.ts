/** Quotas that count nothing new, whatever is sent: a lane or a model that was mistyped looks like one that is never full. */
import { globsOverlap } from '../../protocol/glob.ts';
import type { LoadedQuotas } from './load-quotas.ts';

/** A lane that there is, and globs of all models that may be sent there. */
export interface OpenLane {
  readonly lane: string;
  readonly globs: readonly string[];
}

/** What an operator should know of them, a sentence each without its full stop. `source` is where they come from. */
export function idleQuotas(
  definitions: LoadedQuotas['definitions'],
  source: string,
  lanes: readonly OpenLane[],
): readonly string[] {
  const names = [...new Set(lanes.map(({ lane }) => lane))];
  return definitions.flatMap(({ model, lane }) => {
    const quota = `the quota for "${model}" on lane ${lane} in ${source} counts nothing new`;
    if (!names.includes(lane)) return `${quota}: there is no lane ${lane} (there are ${names.join(', ')})`;
    const globs = lanes.filter((one) => one.lane === lane).flatMap((one) => one.globs);
    if (globs.some((glob) => globsOverlap(glob, model))) return [];
    const routes = globs.length === 0 ? 'none' : globs.map((glob) => `"${glob}"`).join(', ');
    return `${quota}: no route leads such a model there (its routes: ${routes})`;
  });
}
