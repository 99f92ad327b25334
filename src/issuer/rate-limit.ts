/** How often one visitor may do something: a bucket that fills at a steady pace, for each address. */
import { isIPv6 } from 'node:net';
import type { Clock } from '../platform/clock.ts';

export interface RateLimit {
  /** Whole seconds until this address may go on; null where it may now. Takes nothing. */
  wait(address: string): number | null;
  /** Counts one. */
  spend(address: string): void;
}

interface Bucket {
  left: number;
  /** Monotonic milliseconds of the last look. */
  at: number;
}

/** More addresses than a small issuer sees; whoever was not seen for longest is forgotten first. */
const MAX_BUCKETS = 10_000;

export function createRateLimit({
  clock,
  burst,
  perMinute,
}: {
  readonly clock: Clock;
  readonly burst: number;
  readonly perMinute: number;
}): RateLimit {
  const buckets = new Map<string, Bucket>();
  const look = (address: string): Bucket => {
    const key = visitorOf(address);
    const now = clock.monotonic();
    const bucket = buckets.get(key) ?? { left: burst, at: now };
    bucket.left = Math.min(burst, bucket.left + ((now - bucket.at) * perMinute) / 60_000);
    bucket.at = now;
    // Put at the end: the first one in the map is the one not seen for longest.
    buckets.delete(key);
    buckets.set(key, bucket);
    if (buckets.size > MAX_BUCKETS) buckets.delete(buckets.keys().next().value ?? key);
    return bucket;
  };
  return {
    wait(address) {
      const { left } = look(address);
      return left >= 1 ? null : Math.max(1, Math.ceil(((1 - left) * 60) / perMinute));
    },
    spend(address) {
      const bucket = look(address);
      bucket.left = Math.max(0, bucket.left - 1);
    },
  };
}

/** One visitor has one IPv4 address, or a whole /64 of IPv6. */
function visitorOf(address: string): string {
  const mapped = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [head = '', tail] = address.split('::');
  const before = head.split(':').filter(Boolean);
  const after = (tail ?? '').split(':').filter(Boolean);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const groups = tail === undefined ? before : [...before, ...zeros, ...after];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
