/** What the windows of quotas lack after a restart: they are rebuilt from the store, which keeps what it is told to. */
import type { LoadedQuotas } from './load-quotas.ts';
import { isCapped, type QuotaDefinition } from './parse-quotas.ts';

const DAY_MS = 86_400_000;

/**
 * What an operator should know of that, a sentence each without its full stop. `source` is where the quotas come from;
 * `keptDays` is how long the store keeps exchanges, null where it keeps none.
 */
export function forgottenOnRestart(
  definitions: LoadedQuotas['definitions'],
  source: string,
  keptDays: number | null,
): readonly string[] {
  if (keptDays === null) {
    const isAny = definitions.some((definition) => cappedBeyond(definition, 0).length > 0);
    return isAny
      ? [`the quotas in ${source} begin at zero with each start: nothing is kept (CCP_PERSIST=0)`]
      : [];
  }
  const days = keptDays === 1 ? 'day' : `${keptDays} days`;
  return definitions.flatMap((definition) => {
    const { model, lane } = definition;
    return cappedBeyond(definition, keptDays * DAY_MS).map(
      (window) =>
        `the quota for "${model}" on lane ${lane} in ${source} counts only the last ${days} of its ${window} ` +
        `window after a restart: what is older is not kept (CCP_SAMPLE_TTL_DAYS=${keptDays})`,
    );
  });
}

/** Its windows that have a cap and are longer than that. */
const cappedBeyond = ({ rolling, weekly }: QuotaDefinition, ms: number): readonly string[] =>
  Object.entries({ rolling, weekly }).flatMap(([name, window]) =>
    isCapped(window) && window.spanMs > ms ? [name] : [],
  );
