/** Quotas that are not those of their file any more, because that was changed for the worse. */
import type { QuotasAnswer } from '../../../config/usage-answers.ts';
import { plain } from '../../shared/host.ts';
import { clockTime } from './figures.ts';

/** Which ones hold, and since when the file is refused, a sentence without its full stop; null where the file counts. */
export function earlierText({
  file,
  since,
  refused,
}: Pick<QuotasAnswer, 'file' | 'since' | 'refused'>): string | null {
  if (refused === null) return null;
  const earlier = `${file === null ? 'of no file,' : plain(file)} as of ${clockTime(since)}`;
  return `the earlier quotas hold (${earlier}): what the file says now is refused since ${clockTime(refused.since)}`;
}
