import { parseMoment } from '../../config/usage-answers.ts';
import { type Host, printWarnings } from '../shared/host.ts';

/** Warns where `--since` lies in the future, which leaves nothing to tell of and is most likely a slip. */
export function warnOfFuture(host: Host, since: string): void {
  const moment = parseMoment(since);
  if (moment === null || !('at' in moment) || moment.at <= Date.now()) return;
  const when = new Date(moment.at).toISOString();
  printWarnings(host, 'ccp', [`--since ${since} lies in the future (${when}): nothing has ended since then`]);
}
