/** A proxy that relays to itself goes round until something breaks; found out before the start where possible. */
import { lookup } from 'node:dns/promises';
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { OperatorError } from '../../errors.ts';
import type { Provider } from '../types.ts';

/**
 * Throws `CONFIG` where an upstream resolves to the port of this machine that we are about to listen on. A
 * name that does not resolve now is none of our business here.
 * @param port ours; 0 is a port that nobody can have named
 */
export async function refuseOwnListener(providers: readonly Provider[], port: number): Promise<void> {
  for (const { id, origin } of providers) {
    if (!(await leadsToPort(origin, port))) continue;
    throw new OperatorError('CONFIG', `the upstream of provider ${id}, ${origin}, is our own listener`, {
      hint: 'Point it at the provider itself; ANTHROPIC_BASE_URL, which names the proxy, belongs to the client alone.',
    });
  }
}

/** Whether an origin resolves to this port of this machine; false where its name does not resolve now. */
export async function leadsToPort(origin: string, port: number): Promise<boolean> {
  const url = new URL(origin);
  if (port === 0 || portOf(url) !== port) return false;
  const addresses = await lookup(url.hostname.replace(/^\[(.*)\]$/, '$1'), { all: true }).catch(() => []);
  return addresses.some(({ address }) => isThisMachine(address));
}

/** Whether a fresh connection has come back to us: same machine at both ends, and our port. */
export function isOwnListener(socket: Socket, port: number): boolean {
  return socket.remotePort === port && socket.remoteAddress === socket.localAddress;
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

function isThisMachine(address: string): boolean {
  if (address === '::1' || address.startsWith('127.') || address === '0.0.0.0' || address === '::')
    return true;
  return Object.values(networkInterfaces()).some((list) => list?.some((own) => own.address === address));
}
