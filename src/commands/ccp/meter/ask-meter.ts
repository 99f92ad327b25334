/** Asks the meter of the proxy that runs with these settings. */
import type { z } from 'zod';
import type { LoadedCcp } from '../../../config/ccp-settings.ts';
import { OperatorError } from '../../../errors.ts';
import { askProxy, proxyUrl, reasonIn, throwFault } from '../ask-proxy.ts';
import { START_IT } from '../control.ts';

/**
 * What an endpoint answers, read by its schema.
 * Throws `NOT_READY` where no proxy answers, or one that has no such meter; `USAGE` where it does not take an argument.
 */
export async function askMeter<T>(loaded: LoadedCcp, path: string, schema: z.ZodType<T>): Promise<T> {
  const url = proxyUrl(loaded);
  const answer = await askProxy(loaded, { method: 'GET', path });
  if (!answer.answered) {
    throw new OperatorError('NOT_READY', `no proxy answers at ${url} (${answer.why})`, { hint: START_IT });
  }
  const reason = reasonIn(answer);
  if (reason !== null) throw new OperatorError('USAGE', reason);
  throwFault(answer, url, path);
  const read = schema.safeParse(parse(answer.body));
  if (answer.status === 200 && read.success) return read.data;
  throw new OperatorError(
    'NOT_READY',
    `what answers at ${url} has no ${path} of this version (${answer.status})`,
    {
      hint: 'It may be an older ccp, or another program: restart it, or set CCP_PORT and CCP_PROFILE.',
    },
  );
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
