import { isLoopbackHost } from '../../protocol/base-url.ts';

/**
 * The address that a request is counted under. Behind a proxy of ours on this machine it is the last one that the
 * proxy named: those before it are what the client claims. Whoever comes from elsewhere may write what he likes.
 */
export function visitorOf({
  peer,
  forwarded = '',
  proxied,
}: {
  /** Of the connection. */
  readonly peer: string;
  /** `X-Forwarded-For`. */
  readonly forwarded: string | undefined;
  /** Whether a proxy is in front at all. */
  readonly proxied: boolean;
}): string {
  // A socket that takes both kinds of addresses tells of IPv4 like this.
  if (!proxied || !isLoopbackHost(peer.replace(/^::ffff:/, ''))) return peer;
  const named = forwarded.split(',').at(-1)?.trim() ?? '';
  return named === '' ? peer : named.slice(0, 64);
}
