/** What the families of checks share: how a violation points at its witnesses, and which parts they judge. */
import type { Transcript } from '../protocol/transcript.ts';
import type { CompletionEvent } from '../protocol/usage-event.ts';
import type { Violation } from './check.ts';
import type { Evidence } from './evidence.ts';
import { accountOf, type Exchange } from './exchanges.ts';

/** An exchange whose answer came whole from an upstream. */
export interface Answered extends Exchange {
  readonly answered: Transcript & { readonly response: NonNullable<Transcript['response']> };
}

/** The exchanges that an upstream answered at all. */
export function answeredExchanges(evidence: Evidence): Answered[] {
  return accountOf(evidence).exchanges.filter(isAnswered);
}

function isAnswered(exchange: Exchange): exchange is Answered {
  return exchange.answered?.response !== undefined;
}

/**
 * Whether the answer is one that the proxy must not hand on: a redirect of a provider that is not `anth`
 * would make the client carry its Anthropic key there (contract, section 4).
 */
export function isWithheld({ answered }: Answered): boolean {
  const { status } = answered.response;
  return answered.observer !== 'anth' && status >= 300 && status < 400 && status !== 304;
}

/** The client left on purpose before the end. */
export const clientLeft = ({ client }: Exchange): boolean => client.ending === 'ended_by_self';

/** The last completion of an exchange: that there is exactly one is for RECONCILE-02 to judge. */
export const completionOf = ({ completions }: Exchange): CompletionEvent | undefined => completions.at(-1);

/** Where to look for an exchange: its transcripts and its rid. */
export function pointersTo({ client, upstream, completions }: Exchange): string[] {
  const rids = new Set(completions.map(({ rid }) => `rid:${rid}`));
  return [`client:${client.id}`, ...upstream.map(pointerTo), ...rids];
}

export const pointerTo = ({ side, observer, id }: Transcript): string =>
  `${side === 'client' ? 'client' : observer}:${id}`;

/** A name for an exchange in a sentence. */
export function nameOf({ client, probe }: Pick<Exchange, 'client' | 'probe'>): string {
  const { method, target } = client.request;
  const request = `${method} ${target.length > 80 ? `${target.slice(0, 80)}…` : target}`;
  return probe === undefined ? request : `${request} of probe ${probe.id}`;
}

/** A violation about one exchange. */
export function about(
  exchange: Exchange,
  what: string,
  details: Omit<Violation, 'what' | 'pointers'> = {},
): Violation {
  return { what: `${nameOf(exchange)}: ${what}`, ...details, pointers: pointersTo(exchange) };
}
