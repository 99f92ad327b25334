/** A key that no cooldown can have: most likely a slip, which an empty answer would hide. */
import { compileGlob } from '../../protocol/glob.ts';
import type { QuotaView } from '../../protocol/quota-view.ts';

interface Choice {
  readonly lane?: string | undefined;
  readonly key?: string | undefined;
}

/**
 * What is allowed in place of the key that was named, a sentence; null where a cooldown may have it: the glob of a quota
 * on the lane, or a model that none of them counts, whatever its name.
 */
export function keyTrouble({ lane, key }: Choice, views: readonly QuotaView[]): string | null {
  if (key === undefined) return null;
  const globs = views.filter((one) => lane === undefined || one.lane === lane).map(({ model }) => model);
  const isCounted = globs.some((glob) => compileGlob(glob)(key));
  if (globs.includes(key) || !(isCounted || key.includes('*'))) return null;
  const quotas = [...new Set(globs)].map((glob) => `"${glob}"`).join(', ');
  return quotas === ''
    ? 'key: allowed is a model, since no quota is set there'
    : `key: allowed is the glob of a quota there (${quotas}), or a model that no quota counts`;
}
