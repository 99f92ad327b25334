/** Commands that change the running proxy, through its own endpoints and with its control token. */
import { z } from 'zod';
import type { LoadedCcp } from '../../config/ccp-settings.ts';
import { readSmallFile } from '../../config/read-small-file.ts';
import { EXIT, OperatorError } from '../../errors.ts';
import { type Host, printJson } from '../shared/host.ts';
import { askProxy, proxyUrl, reasonIn, throwFault } from './ask-proxy.ts';
import { load } from './load.ts';

/** `ccp offload pause` and `resume`. */
export async function setOffload(
  host: Host,
  { paused, json }: { readonly paused: boolean; readonly json: boolean },
): Promise<number> {
  await post(load(host), '/v1/ccp/offload', { paused });
  if (json) printJson(host, { paused });
  else
    host.out.write(paused ? 'Paused: everything goes to Anthropic.\n' : 'Resumed: routing as configured.\n');
  return EXIT.ok;
}

/** `ccp log rotate`. */
export async function rotateLog(host: Host, { json }: { readonly json: boolean }): Promise<number> {
  const loaded = load(host);
  // The proxy says where its logs are: they need not be where this shell's settings put them.
  const rotatedTo = rotatedPath(await post(loaded, '/v1/ccp/log/rotate', {}));
  if (json) printJson(host, { rotated_to: rotatedTo });
  else
    host.out.write(
      rotatedTo === null ? 'The log is empty: nothing to rotate.\n' : `Rotated to ${rotatedTo}.\n`,
    );
  return EXIT.ok;
}

const post = (loaded: LoadedCcp, path: string, body: unknown): Promise<string> =>
  postBody(loaded, path, JSON.stringify(body));

/**
 * Posts something to an endpoint of the running proxy; gives what it answers. Throws `NOT_READY` where no proxy of these
 * settings takes the order, and `CONFIG` with its reason where it does not like it.
 */
export async function postBody(loaded: LoadedCcp, path: string, body: string | Uint8Array): Promise<string> {
  const url = proxyUrl(loaded);
  const token = readSmallFile(loaded.paths.controlToken)?.toString('utf8').trim();
  if (token === undefined) {
    throw new OperatorError(
      'NOT_READY',
      `no proxy answers at ${url}: ${loaded.paths.controlToken} is not there`,
      {
        hint: START_IT,
      },
    );
  }
  const answer = await askProxy(loaded, {
    method: 'POST',
    path,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body,
  });
  if (!answer.answered) {
    throw new OperatorError('NOT_READY', `no proxy answers at ${url} (${answer.why})`, { hint: START_IT });
  }
  const reason = reasonIn(answer);
  if (reason !== null) throw new OperatorError('CONFIG', reason);
  throwFault(answer, url, path);
  if (answer.status < 200 || answer.status > 299) {
    throw new OperatorError('NOT_READY', `what answers at ${url} refused with ${answer.status}`, {
      hint: 'It may be the proxy of another profile or user, or another program; "ccp doctor" tells more.',
    });
  }
  return answer.body;
}

const rotateAnswer = z.object({ rotated_to: z.string().nullable() });

function rotatedPath(body: string): string | null {
  try {
    return rotateAnswer.parse(JSON.parse(body)).rotated_to;
  } catch (cause) {
    throw new OperatorError('NOT_READY', 'what answered there is no ccp of this version', { cause });
  }
}

export const START_IT = 'Start it with "ccp serve", or set CCP_PORT and CCP_PROFILE as it has them.';
