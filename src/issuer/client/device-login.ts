import { OperatorError } from '../../errors.ts';
import type { LicensePack } from '../../protocol/license.ts';
import type { DeviceStart, Given, IssuerClient } from './issuer-client.ts';
import { licenseOrThrow, refusalError } from './refusal.ts';

export interface DeviceLoginPorts {
  /** Shows the person where to go and with which code. */
  readonly show: (start: DeviceStart) => Promise<void>;
  /** Milliseconds; rejects where the login was broken off. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Milliseconds of a clock that never jumps. */
  readonly monotonic: () => number;
}

/** RFC 8628 section 3.5. */
const SLOWER_S = 5;

/**
 * Gets a licence by the device flow: waits, at the pace that the issuer asks for, until a person approved. An issuer
 * that is away for a while is asked again, ever more rarely. Throws `CHECK_FAILED` where it was denied or nobody
 * approved in time, and what the client throws at the start.
 */
export async function loginByDevice(
  client: IssuerClient,
  { show, sleep, monotonic }: DeviceLoginPorts,
): Promise<LicensePack> {
  const started = await client.startDevice();
  if (!started.ok) throw refusalError(started);
  const { device_code: deviceCode, expires_in, interval } = started.value;
  const deadline = monotonic() + expires_in * 1000;
  await show(started.value);
  let seconds = interval;
  for (;;) {
    await sleep(seconds * 1000);
    const given = await pollOrAway(client, deviceCode);
    if (given === 'away') seconds = Math.max(1, seconds * 2);
    else if (given.ok || !WAITING.has(given.error)) return licenseOrThrow(given);
    else if (given.error !== 'authorization_pending')
      seconds = Math.max(seconds + SLOWER_S, given.retryAfter ?? 0);
    if (monotonic() >= deadline) {
      throw new OperatorError('CHECK_FAILED', 'nobody approved the code in time', {
        hint: 'Run "ccp license login" again.',
      });
    }
  }
}

const WAITING: ReadonlySet<string> = new Set(['authorization_pending', 'slow_down', 'too_many_requests']);

async function pollOrAway(client: IssuerClient, deviceCode: string): Promise<Given<LicensePack> | 'away'> {
  try {
    return await client.pollDevice(deviceCode);
  } catch (error) {
    if (error instanceof OperatorError && error.code === 'NOT_READY') return 'away';
    throw error;
  }
}
