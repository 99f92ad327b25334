/** Quotas that are not those of their file any more, because that was changed for the worse. */
import type { QuotasAnswer } from '../../../config/usage-answers.ts';
import { plain } from '../../shared/host.ts';
import { clockTime } from './figures.ts';

/** Which ones hold, and since when and why the file is refused, a sentence without its full stop; null where the file counts. */
export function earlierText({
  file,
  since,
  refused,
  quotas,
}: Pick<QuotasAnswer, 'file' | 'since' | 'refused' | 'quotas'>): string | null {
  if (refused === null) return null;
  const none = quotas.length === 0 ? 'of no file,' : 'sent by hand,';
  const earlier = `${file === null ? none : plain(file)} as of ${clockTime(since)}`;
  const why = `what the file says now is refused since ${clockTime(refused.since)}: ${plain(refused.why)}`;
  return `the earlier quotas hold (${earlier}): ${why}`;
}
